// SPDX-License-Identifier: Apache-2.0
import FileIO
import Foundation
import NPY
import SWTFormat
import TestSupport
import Testing

/// `nnrun segment` and what goes with it, on a small model of three folds.
@Suite struct SegmentationTests {
  private static let golden = "\(Fixtures.folder)/segmentation/cases/s05_three_folds"
  private let folder: TemporaryFolder
  private let model: String
  private let scan = "\(golden)/scans/case_0000.nii.gz"

  init() throws {
    folder = try TemporaryFolder()
    model = folder.file("m.swt")
    let path = "\(Self.golden)/nnUNet_results/Dataset805_ThreeFolds"
    _ = try Command.run(
      "nnconvert",
      [
        "convert", "\(path)/nnUNetTrainer__nnUNetPlans__3d_fullres", "--part", "network", "-f",
        "0,1,2", "-o", model,
      ])
  }

  @Test func nnUNetsSpellingsAreTaken() throws {
    let result = try Command.run(
      "nnrun",
      [
        "segment", "-m", model, "-i", scan, "-o", folder.file("out.nii.gz"), "-f", "0", "2",
        "--disable_tta", "-step_size", "1", "-chk", "checkpoint_final.pth",
      ])
    #expect(result.status == 0 && result.errors.contains("-chk chooses nothing"))
    #expect(folder.content.contains("out.nii.gz"))
    let report = try JSONParser.parse(Bytes(Array(result.output.utf8)))
    #expect(report["case"]?.string == "case")
  }

  @Test func foldsAreTold() throws {
    let result = try Command.run(
      "nnrun",
      ["segment", model, scan, "-o", folder.file("out.nii"), "--no-mirroring"])
    #expect(result.status == 0 && result.errors.contains("means over 3 folds (0, 1, 2)"))
  }

  /// Exit statuses: 64 for a fold that is not there, 65 for a bad case alone in a folder.
  @Test func refusals() throws {
    let unknown = try Command.run(
      "nnrun", ["segment", model, scan, "-f", "7", "-o", folder.file("out")])
    #expect(unknown.status == 64 && unknown.errors.contains("no fold '7'"))
    let bad = folder.file("bad")
    try FileManager.default.createDirectory(atPath: bad, withIntermediateDirectories: true)
    try Data("no scan".utf8).write(to: URL(filePath: "\(bad)/case_0000.nii.gz"))
    let alone = try Command.run("nnrun", ["segment", model, bad, "-o", folder.file("out")])
    #expect(alone.status == 65)
    let scanned = try Command.run(
      "nnrun", ["features", model, scan, "--logits-map", "-o", folder.file("x.npy")])
    #expect(scanned.status == 64 && scanned.errors.contains("--logits-map"))
  }

  /// A case is written while the next one runs: lines come in the cases' order, and a case that cannot be
  /// written fails alone.
  /// What no segmentation comes of is refused before any work.
  @Test(arguments: [
    ("--step-size", "1e-30"), ("--step-size", "1e-9"), ("--step-size", "0.0099"),
    ("--step-size", "1.01"), ("--step-size", "nan"), ("--labels", ""), ("--labels", ","),
    ("--labels", "d"),
  ])
  func optionsOfNoUse(option: String, value: String) throws {
    let result = try Command.run(
      "nnrun", ["segment", model, scan, "\(option)=\(value)", "-o", folder.file("out.nii")])
    #expect(result.status == 64 && !folder.content.contains("out.nii"), "\(result.errors)")
  }

  /// Of labels that are left out nothing is known, volumes neither.
  @Test func onlyKeptLabelsAreCounted() throws {
    func labels(_ options: [String]) throws -> [String: Int] {
      let result = try Command.run(
        "nnrun",
        ["segment", model, scan, "-o", folder.file("out.nii"), "--no-mirroring"] + options)
      let report = try JSONParser.parse(Bytes(Array(result.output.utf8)))
      let counts = try #require(report["labels"]?.array).map { label in
        (label["name"]?.string ?? "", label["voxels"]?.integer ?? -1)
      }
      return Dictionary(uniqueKeysWithValues: counts)
    }
    let all = try labels([])
    #expect(all.count == 3 && !all.values.contains(-1))
    #expect(try labels(["--labels", "b"]) == all.filter { $0.key == "b" })
  }

  @Test(arguments: [("7", 64), ("0,2", 64), ("0,1,2", 0), ("all-trained", 0)])
  func foldsAreComparedTogether(fold: String, status: Int32) throws {
    let path = "\(Self.golden)/nnUNet_results/Dataset805_ThreeFolds"
    let result = try Command.run(
      "nnconvert",
      [
        "verify", model, "--against", "\(path)/nnUNetTrainer__nnUNetPlans__3d_fullres", "--fold",
        fold,
      ])
    #expect(result.status == status, "\(result.output)\(result.errors)")
  }

  @Test func severalCases() throws {
    let (scans, out) = (folder.file("scans"), folder.file("labels"))
    let files = FileManager.default
    for folder in [scans, "\(out)/b.nii.gz"] {
      try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    for name in ["a", "b", "d", "e"] {
      try files.copyItem(atPath: scan, toPath: "\(scans)/\(name)_0000.nii.gz")
    }
    try Data("no scan".utf8).write(to: URL(filePath: "\(scans)/c_0000.nii.gz"))
    let result = try Command.run("nnrun", ["segment", model, scans, "-o", out, "--no-mirroring"])
    #expect(result.status == 8 && result.errors.contains("2 of 5 cases failed"), "\(result.errors)")
    let lines = try result.output.split(separator: "\n").map {
      try JSONParser.parse(Bytes(Array($0.utf8)))
    }
    #expect(lines.map { $0["case"]?.string } == ["a", "b", "c", "d", "e"])
    #expect(lines.map { $0["error"] != nil } == [false, true, true, false, false])
    let alone = folder.file("alone.nii.gz")
    _ = try Command.run("nnrun", ["segment", model, scan, "-o", alone, "--no-mirroring"])
    let expected = try Data(contentsOf: URL(filePath: alone))
    for name in ["a", "d", "e"] {
      #expect(try Data(contentsOf: URL(filePath: "\(out)/\(name).nii.gz")) == expected)
    }
  }

  @Test func theLogitsOfAWindowAreWritten() throws {
    let values: [Float] = (0..<20 * 24 * 24).map { index in Float(index * 31 % 89) / 44 - 1 }
    let (input, output) = (folder.file("w.npy"), folder.file("logits.npy"))
    try NPYArray(shape: [1, 20, 24, 24], values: values).write(to: input, inputs: [])
    let result = try Command.run(
      "nnrun", ["features", model, input, "--logits-map", "-o", output, "--json"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(try NPYArray(contentsOf: output).shape == [4, 20, 24, 24])
  }

  @Test func aPlanTellsWhatWouldBeSaved() throws {
    let result = try Command.run("nnrun", ["plan", model, scan, "--json"])
    #expect(result.status == 0, "\(result.errors)")
    let report = try JSONParser.parse(Bytes(Array(result.output.utf8)))
    let plan = try #require(report["cases"]?.array?.first)
    #expect(plan["windows"]?.integer == 4)
    #expect(plan["mirrorings"]?.integer == 8 && plan["folds"]?.integer == 3)
    #expect(plan["runs"]?.integer == 96)
    let savings = try #require(plan["savings"]?.array)
    #expect(savings.first?["option"]?.string == "--no-mirroring")
    #expect(savings.first?["runs"]?.integer == 12)
    let encoder = try Command.run("nnrun", ["plan", model, scan, "--no-segment", "--json"])
    #expect(encoder.status == 0 && !encoder.output.contains("mirrorings"))
  }
}
