// SPDX-License-Identifier: Apache-2.0
import FileIO
import Foundation
import NPY
import Preprocessing
import SWTFormat
import TestSupport
import Testing

/// How series are named, and where results about them lie: tables, lines, several channels; segmentations
/// and maps on the grid that the convention's converter would have given.
@Suite struct StudyInputTests {
  private static let dicom = Fixtures.folder + "/dicom"
  private static let uid = "2.25.921701162481075632957199926983242375"
  private static let echoes = "2.25.1198428332571589049381088986048233683"
  private let folder: TemporaryFolder
  /// A network of two channels, CT and MR.
  private let model: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder.file("m.swt")
    let result = try Command.run(
      "nnconvert",
      [
        "convert", Fixtures.checkpoint(in: "plain3d__v2.8__float32"), "--part", "network",
        "--dicom-convention", "dcm2niix", "-o", model,
      ])
    #expect(result.status == 0, "\(result.errors)")
  }

  private func run(
    _ arguments: [String], status: Int32 = 0, input: String? = nil
  ) throws -> CommandResult {
    let result = try Command.run("nnrun", arguments, input: input)
    #expect(result.status == status, "\(arguments): \(result.errors)")
    return result
  }

  private func study(_ name: String) -> String { "\(Self.dicom)/\(name)/study" }

  /// A model of one channel with a head of no weight.
  private func classifier() throws -> String {
    let path = folder.file("c.swt")
    let result = try Command.run(
      "nnconvert",
      [
        "convert", Fixtures.exampleCheckpoint, "--head",
        "\(Fixtures.repository)/Examples/brain-mri/head.pth", "-o", path,
      ])
    #expect(result.status == 0, "\(result.errors)")
    return path
  }

  /// Features and the names of their cases.
  private func features(
    _ arguments: [String], status: Int32 = 0, input: String? = nil
  ) throws -> (names: [String], array: NPYArray, errors: String) {
    let output = folder.file("f.npy")
    let result = try run(
      ["features", "-o", output, "--json"] + arguments, status: status, input: input)
    let json = try JSONParser.parse(Bytes(Array(result.output.utf8)))
    let names = json["cases"]?.array?.compactMap(\.string) ?? []
    return (names, try NPYArray(contentsOf: output), result.errors)
  }

  private var named: [String] {
    ["--series", "CT=\(Self.echoes)-1", "--series", "MR=\(Self.echoes)-2"]
  }

  @Test func channelsAreNamedNeverGuessed() throws {
    let echo = study("four_d_echo")
    let refused = try run(["features", model, echo, "-o", folder.file("f.npy")], status: 65)
    #expect(refused.errors.contains("CT=UID, MR=UID"), "\(refused.errors)")
    let right = try features([model, echo] + named)
    #expect(right.names == ["\(Self.echoes)-1"])
    let turned = try features([
      model, echo, "--series", "MR=\(Self.echoes)-1", "--series", "CT=\(Self.echoes)-2",
    ])
    #expect(turned.array.values != right.array.values)
    for series in ["\(Self.echoes)-1", "T2=\(Self.echoes)-1", "CT=\(Self.echoes)-1"] {
      _ = try run(
        ["features", model, echo, "-o", folder.file("f.npy"), "--series", series], status: 64)
    }
    // A folder for each channel is no guess either.
    let folders = try features([model, "\(study("ax_ct")),\(study("ax_ct"))"])
    #expect(folders.names == [Self.uid])
    _ = try run(
      [
        "features", model, "\(study("ax_ct")),\(Fixtures.repository)/Package.swift", "-o",
        folder.file("f.npy"),
      ], status: 65)
  }

  @Test func tablesNameStudies() throws {
    let echo = study("four_d_echo")
    let expected = try features([model, echo] + named).array.values
    let table = folder.file("cases.csv")
    try Data(
      """
      case,study,series,age
      a,\(echo),CT=\(Self.echoes)-1 MR=\(Self.echoes)-2,61
      b,\(study("missing_slice")),CT=1.2 MR=1.3,62
      c,\(echo),MR=\(Self.echoes)-2 CT=\(Self.echoes)-1,63

      """.utf8
    ).write(to: URL(filePath: table))
    let found = try features([model, table], status: 8)
    #expect(found.names == ["a", "c"])
    #expect(found.array.values == expected + expected)
    #expect(found.errors.contains("'age' is no image") && !found.errors.contains("'series'"))
    // A column for each channel.
    try Data("case,MR,CT\nx,\(study("ax_ct")),\(study("ax_ct"))\n".utf8)
      .write(to: URL(filePath: table))
    #expect(try features([model, table]).names == ["x"])
  }

  @Test func linesNameStudies() throws {
    let echo = study("four_d_echo")
    let expected = try features([model, echo] + named).array.values
    let (first, second) = ("\(Self.echoes)-1", "\(Self.echoes)-2")
    let found = try features(
      [model, "--stdin"], status: 8,
      input: """
        {"images": ["\(echo)"], "series": {"MR": "\(second)", "CT": "\(first)"}}
        {"case": "b", "images": ["\(echo)"], "series": ["CT=\(first)", "MR=\(second)"]}
        {"images": ["\(echo)"]}
        {"images": ["\(echo)"], "series": 3}

        """)
    #expect(found.names == [first, "b"])
    #expect(found.array.values == expected + expected)
    #expect(found.errors.contains("case 'line 3'") && found.errors.contains("case 'line 4'"))
    // Of one channel, in a run that goes on after a bad study.
    let single = try classifier()
    let result = try run(
      ["classify", single, "--stdin", "--dicom-convention", "as-scanned"], status: 8,
      input: """
        {"images": ["\(study("missing_slice"))"]}
        {"images": ["\(echo)"], "series": "\(second)"}

        """)
    let rows = try result.output.split(separator: "\n").map {
      try JSONParser.parse(Bytes(Array($0.utf8)))
    }
    #expect(rows.map { $0["case"]?.string } == ["line 1", second])
    #expect(rows.map { $0["error"] == nil } == [false, true])
  }

  @Test("One bad study does not stop the others that were named")
  func aBadStudyAmongSeveral() throws {
    let single = try classifier()
    let result = try run(
      [
        "classify", single, study("gantry_tilt"), study("ax_ct"), study("missing_slice"),
        "--dicom-convention", "as-scanned", "--format", "jsonl",
      ], status: 8)
    #expect(result.output.contains("\"study-1\"") && result.output.contains("\"study-3\""))
    #expect(result.output.contains(Self.uid))
  }

  @Test func pathsBelowTheFolderAreToldWhenAsked() throws {
    let root = folder.file("in")
    try FileManager.default.copyItem(atPath: study("ax_ct"), toPath: root)
    let names = try Fixtures.names(in: root)
    let url = URL(filePath: "\(root)/\(names[2])")
    try Data(contentsOf: url).prefix(700).write(to: url)
    let single = try classifier()
    let arguments = ["classify", single, root, "--dicom-convention", "as-scanned"]
    let plain = try run(arguments, status: 65)
    #expect(plain.errors.contains("file 3 of") && !plain.errors.contains(names[2]))
    let verbose = try run(arguments + ["--verbose"], status: 65)
    #expect(verbose.errors.contains("\(root)/\(names[2])"))
    let lines = try run(
      ["classify", single, "--stdin", "--verbose", "--dicom-convention", "as-scanned"], status: 8,
      input: "{\"images\": [\"\(root)\"]}\n")
    #expect(lines.errors.contains("\(root)/\(names[2])") && !lines.output.contains(names[2]))
  }

  @Test(
    "A segmentation lies where the convention's converter would have put the scan",
    arguments: [("as-scanned", "sitk"), ("dcm2niix", "dcm2niix")], ["four_d_echo", "sag_mr"])
  func segmentationsLieOnTheConvertedScan(
    _ tool: (convention: String, key: String), _ name: String
  ) throws {
    let network = folder.file("s.swt")
    let golden = "\(Fixtures.folder)/segmentation/cases/s05_three_folds/nnUNet_results"
    let converted = try Command.run(
      "nnconvert",
      [
        "convert", "\(golden)/Dataset805_ThreeFolds/nnUNetTrainer__nnUNetPlans__3d_fullres",
        "--part", "network", "-f", "0", "-o", network,
      ])
    #expect(converted.status == 0, "\(converted.errors)")
    let output = folder.file("seg.nii.gz")
    let series = name == "four_d_echo" ? ["--series", "\(Self.echoes)-2"] : []
    let result = try run(
      [
        "segment", network, study(name), "-o", output, "--no-mirroring", "--dicom-convention",
        tool.convention,
      ] + series)
    let report = try JSONParser.parse(Bytes(Array(result.output.utf8)))
    #expect(report["output"]?.string == output)
    let image = try NIfTIImage(contentsOf: output, reader: .simpleITK)
    let json = try JSONParser.parse(MappedFile(path: "\(Self.dicom)/\(name)/case.json").bytes)
    let affine: [[Double]]
    if tool.key == "dcm2niix" {
      let rows = json["dcm2niix"]?["volumes"]?.array?.first?["affine"]?.array ?? []
      affine = rows.prefix(3).map { $0.array?.compactMap(\.double) ?? [] }
    } else {
      guard name != "four_d_echo" else { return }
      let itk = try #require(json["sitk"]?.array?.first)
      func numbers(_ key: String) -> [Double] { itk[key]?.array?.compactMap(\.double) ?? [] }
      let (spacing, origin, direction) = (
        numbers("spacing"), numbers("origin"), numbers("direction")
      )
      affine = (0..<3).map { (row: Int) -> [Double] in
        // ITK's millimetres run towards left and posterior.
        let sign: Double = row < 2 ? -1 : 1
        var values: [Double] = []
        for column in 0..<3 {
          values.append(sign * direction[3 * row + column] * spacing[column])
        }
        return values + [sign * origin[row]]
      }
    }
    let found = image.geometry.arrayAffine
    for row in 0..<3 {
      for column in 0..<3 {
        #expect(abs(found.matrix[row, column] - affine[row][column]) <= 1e-3)
      }
      #expect(abs(found.offset[row] - affine[row][3]) <= 1e-2)
    }
  }

  @Test func previewsOfAFolderAreOnePage() throws {
    let single = try classifier()
    let root = folder.file("cohort")
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    for name in ["ax_ct", "sag_mr", "missing_slice"] {
      try FileManager.default.copyItem(atPath: study(name), toPath: "\(root)/\(name)")
    }
    let sheet = folder.file("sheet.png")
    let result = try run(
      ["preprocess", single, root, "--preview", sheet, "--dicom-convention", "dcm2niix"],
      status: 8)
    #expect(result.errors.contains("1 of 3 cases failed"))
    let bytes = try MappedFile(path: sheet).bytes
    // Two pictures side by side, in PNG's header.
    #expect(bytes.array[16..<24].elementsEqual([0, 0, 0x01, 0xA4, 0, 0, 0, 0xEC]))
    let scans = "\(Fixtures.repository)/Examples/brain-mri/scans"
    _ = try run(["preprocess", single, scans, "--preview", sheet])
    #expect(try MappedFile(path: sheet).bytes.array != bytes.array)
  }
}
