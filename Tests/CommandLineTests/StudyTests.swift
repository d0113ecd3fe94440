// SPDX-License-Identifier: Apache-2.0
import FileIO
import Foundation
import NPY
import Preprocessing
import SWTFormat
import TestSupport
import Testing

/// From a folder of DICOM files to a result, as a user does it.
@Suite struct StudyTests {
  private static let dicom = Fixtures.folder + "/dicom"
  private static let uid = "2.25.921701162481075632957199926983242375"
  private let folder: TemporaryFolder
  private let model: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder.file("m.swt")
    try Self.convert(to: model)
  }

  private static func convert(to model: String, _ arguments: [String] = []) throws {
    let example = "\(Fixtures.repository)/Examples/brain-mri"
    let result = try Command.run(
      "nnconvert",
      ["convert", Fixtures.exampleCheckpoint, "--head", "\(example)/head.pth", "-o", model]
        + arguments)
    #expect(result.status == 0, "\(result.errors)")
  }

  private func run(_ arguments: [String], status: Int32 = 0) throws -> CommandResult {
    let result = try Command.run("nnrun", arguments)
    #expect(result.status == status, "\(arguments): \(result.errors)")
    return result
  }

  private func logits(_ arguments: [String]) throws -> [Float] {
    let output = folder.file("logits.npy")
    _ = try run(["classify", "-o", output] + arguments)
    return try NPYArray(contentsOf: output).values
  }

  private func study(_ name: String) -> String { "\(Self.dicom)/\(name)/study" }

  @Test(
    "A series gives the logits of the scan that a converter made of it",
    arguments: ["ax_ct", "sag_mr", "oblique_mr", "enhanced_ct", "rle"],
    [("as-scanned", "sitk_0"), ("dcm2niix", "dcm2niix_0")])
  func equalsTheConvertedScan(_ name: String, _ tool: (convention: String, array: String)) throws {
    let series = try logits([model, study(name), "--dicom-convention", tool.convention])
    // The example's network looks at voxels and their size, not at where they lie.
    let json = try JSONParser.parse(
      MappedFile(path: "\(Self.dicom)/\(name)/case.json").bytes)
    let spacing = json["sitk"]?.array?[0]["spacing"]?.array?.compactMap(\.double) ?? []
    let array = try NPYArray(contentsOf: "\(Self.dicom)/\(name)/\(tool.array).npy")
    let affine = (0..<3).map { row in
      (0..<3).map { $0 == row ? spacing[$0] : 0 } + [0]
    }
    let shape = Array(array.shape.suffix(3))
    let scan = folder.file("\(name).nii.gz")
    try NIfTIWriter(
      geometry: ScanGeometry(
        shape: shape, spacing: spacing.reversed(), affine: affine, reader: .simpleITK)
    ).write(map: array.values, to: scan)
    #expect(Difference(series, try logits([model, scan])).relative <= 1e-4)
  }

  @Test func nothingIsGuessedAboutTheArraysOrder() throws {
    let refused = try run(["classify", model, study("ax_ct")], status: 65)
    for name in ["--dicom-convention", "as-scanned", "dcm2niix", "dicom2nifti"] {
      #expect(refused.errors.contains(name))
    }
    #expect(refused.errors.split(separator: "\n").count == 1)
  }

  @Test func aModelKeepsItsConvention() throws {
    for convention in ["as-scanned", "dcm2niix", "dicom2nifti"] {
      let own = folder.file("\(convention).swt")
      try Self.convert(to: own, ["--dicom-convention", convention])
      let kept = try logits([own, study("sag_mr")])
      #expect(kept == (try logits([model, study("sag_mr"), "--dicom-convention", convention])))
      let other = convention == "dcm2niix" ? "as-scanned" : "dcm2niix"
      let note = try run(["classify", own, study("sag_mr"), "--dicom-convention", other])
      #expect(note.errors.contains("--dicom-convention instead of"))
    }
    let wrong = try Command.run(
      "nnconvert",
      ["convert", Fixtures.exampleCheckpoint, "-o", "x.swt", "--dicom-convention", "lps"])
    #expect(wrong.status == 64)
  }

  @Test func oneOfSeveralVolumesHasToBeNamed() throws {
    let arguments = ["classify", model, study("four_d_echo"), "--dicom-convention", "dcm2niix"]
    let uid = "2.25.1198428332571589049381088986048233683"
    let refused = try run(arguments, status: 65)
    #expect(refused.errors.contains("\(uid)-1: MR") && refused.errors.contains("echo time 80.0"))
    let named = try run(arguments + ["--series", "\(uid)-2"])
    #expect(named.output.contains("\(uid)-2"))
    _ = try run(arguments + ["--series", "1.2.3"], status: 65)
    _ = try run(arguments + ["--series", "a=1.2.3"], status: 64)
    _ = try run(
      ["classify", model, "\(Fixtures.repository)/Examples/brain-mri/scans", "--series", "1.2"],
      status: 64)
  }

  @Test func everyVerbTakesAFolderOfDICOM() throws {
    let arguments = [model, study("ax_ct"), "--dicom-convention", "as-scanned"]
    for verb in [
      ["plan", "--json"], ["features", "-o", folder.file("f.npy")],
      ["preprocess", "--json", "-o", folder.file("p.npy")],
    ] {
      let result = try run(verb + arguments)
      if verb.contains("--json") { #expect(result.output.contains(Self.uid)) }
    }
  }

  @Test func refusedSeriesEndWithTheReason() throws {
    for (name, words) in [
      ("missing_slice", "is one missing?"), ("gantry_tilt", "tilted gantry"),
      ("jpeg2000", "gdcmconv --raw"), ("monochrome1", "MONOCHROME1"),
    ] {
      let result = try run(
        ["classify", model, study(name), "--dicom-convention", "dcm2niix"], status: 65)
      #expect(result.errors.contains(words), "\(result.errors)")
    }
  }

  @Test("Names of people are in no result, message or report; a cohort goes on after a bad study")
  func canaries() throws {
    let root = NSTemporaryDirectory() + "dicom-cohort-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: root) }
    for (name, person) in [("ax_ct", "CANARY^A"), ("missing_slice", "CANARY^B")] {
      try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: study(name), toPath: "\(root)/\(person)")
      for file in try Fixtures.names(in: "\(root)/\(person)") {
        let url = URL(fileURLWithPath: "\(root)/\(person)/\(file)")
        var bytes = try [UInt8](Data(contentsOf: url))
        let range = try #require(bytes.firstRange(of: Array("Nobody^Synthetic".utf8)))
        bytes.replaceSubrange(range, with: Array("CANARY^CANARY^^^".utf8))
        try Data(bytes).write(to: url)
      }
    }
    var text = ""
    for (number, words) in [
      ["classify", "--format", "json", "-o", "l.npy"], ["classify", "--format", "csv"],
      ["classify"], ["plan", "--json"], ["plan"], ["features", "-o", "f.npy", "--json"],
      ["preprocess", "--json", "-o", "all", "--preview", "sheet.png"],
      ["preprocess", "--as-fed", "-o", "fed"], ["classify", "--maps", "maps"],
      ["classify", "--report", "page.html", "--log", "log.txt"],
      ["classify", "--jobs", "2", "--format", "jsonl"],
    ].enumerated() {
      let outputs = ["l.npy", "f.npy", "all", "sheet.png", "fed", "maps", "page.html", "log.txt"]
      let verb = words.map { outputs.contains($0) ? folder.file("\(number)-\($0)") : $0 }
      let result = try run(verb + [model, root, "--dicom-convention", "dcm2niix"], status: 8)
      #expect(result.errors.contains("study-2"), "\(result.errors)")
      text += result.output + result.errors
    }
    // What is asked of one study, and of a line.
    let lines = try Command.run(
      "nnrun", ["classify", model, "--stdin", "--dicom-convention", "as-scanned"],
      input: "{\"images\": [\"\(root)\"]}\n{\"images\": [\"\(root)/\"], \"series\": \"1.2\"}\n")
    let single = try run(
      ["classify", model, root, "--dicom-convention", "as-scanned", "--series", "1.2"], status: 8)
    text += lines.output + lines.errors + single.output + single.errors
    #expect(text.contains(Self.uid) && !text.contains("CANARY"))
    for (name, content) in try written() {
      #expect(!name.contains("CANARY"))
      #expect(content.firstRange(of: Array("CANARY".utf8)) == nil, "\(name)")
    }
  }

  /// Everything in the test's folder, unpacked.
  private func written() throws -> [(name: String, content: [UInt8])] {
    let names = FileManager.default.enumerator(atPath: folder.path)?.allObjects ?? []
    return try names.compactMap { $0 as? String }.compactMap { name in
      let path = folder.file(name)
      guard name.hasSuffix(".gz") else {
        return (try? Data(contentsOf: URL(filePath: path))).map { (name, Array($0)) }
      }
      let (unpacking, pipe) = (Process(), Pipe())
      unpacking.executableURL = URL(filePath: "/bin/sh")
      unpacking.arguments = ["-c", "gzip -dc \"$0\"", path]
      unpacking.standardOutput = pipe
      try unpacking.run()
      let content = pipe.fileHandleForReading.readDataToEndOfFile()
      unpacking.waitUntilExit()
      return (name, Array(content))
    }
  }
}
