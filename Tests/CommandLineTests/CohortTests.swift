// SPDX-License-Identifier: Apache-2.0
import FileIO
import Foundation
import NPY
import SWTFormat
import TestSupport
import Testing

/// A cohort in shares, put together again.
@Suite struct CohortTests {
  private let folder: TemporaryFolder
  private let model: String
  private let scans: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder.file("m.swt")
    scans = folder.file("scans")
    let example = "\(Fixtures.repository)/Examples"
    _ = try Command.run(
      "nnconvert",
      [
        "convert", Fixtures.exampleCheckpoint, "--head", "\(example)/brain-mri/head.pth", "-o",
        model,
      ])
    try FileManager.default.createDirectory(atPath: scans, withIntermediateDirectories: true)
    for index in 1...4 {
      try FileManager.default.copyItem(
        atPath: "\(example)/train/scans/p00\(index)_0.nii.gz", toPath: "\(scans)/c\(index).nii.gz")
    }
  }

  private func run(
    _ arguments: [String], status: Int32 = 0, environment: [String: String] = [:]
  ) throws -> CommandResult {
    let result = try Command.run("nnrun", arguments, environment: environment)
    #expect(result.status == status, "\(arguments): \(result.errors)")
    return result
  }

  private func content(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
  }

  @Test func sharesTogetherAreOneRun() throws {
    _ = try run(["classify", model, scans, "-o", folder.file("one.npy")])
    let pattern = folder.file("s-{share}.npy")
    for number in 1...5 {
      _ = try run(["classify", model, scans, "--share", "\(number)/5", "-o", pattern])
    }
    let shares = (1...5).map { folder.file("s-\($0)-of-5.npy") }
    _ = try run(["merge"] + shares + ["-o", folder.file("merged.npy")])
    #expect(try content("merged.npy") == content("one.npy"))
    #expect(try content("merged.json") == content("one.json"))

    let missing = try run(
      ["merge", "--json"] + shares.dropFirst() + ["-o", folder.file("part.npy")], status: 8)
    #expect(missing.errors.contains("share 1/5 is missing"))
    #expect(missing.errors.contains("case 'c1' is missing"))
    let report = try JSONParser.parse(Bytes(Array(missing.output.utf8)))
    #expect(report["missing"]?.array == ["c1"] && report["cases"]?.integer == 3)

    let twice = try run(
      ["merge"] + shares + [shares[0], "-o", folder.file("part.npy")], status: 65)
    #expect(twice.errors.contains("is share 1/5, as "))
    let whole = try run(
      ["merge", folder.file("one.npy"), "-o", folder.file("part.npy")], status: 65)
    #expect(whole.errors.contains("is no share"))
    // Another share's results are not replaced.
    let other = try run(
      ["classify", model, scans, "--share", "2/5", "-o", shares[0]], status: 64)
    #expect(other.errors.contains("holds share 1/5, this is share 2/5"))
  }

  @Test func sharesOfOtherModelsPoliciesOrCasesAreRefused() throws {
    let first = folder.file("a.npy")
    _ = try run(["features", model, scans, "--share", "1/2", "-o", first])
    let second = folder.file("b.npy")
    func expectRefused(_ words: String) throws {
      let result = try run(["merge", first, second, "-o", folder.file("m.npy")], status: 65)
      #expect(result.errors.contains(words), "\(result.errors)")
    }
    _ = try run([
      "features", model, scans, "--share", "2/2", "--input-policy", "center-crop", "-o", second,
    ])
    try expectRefused("policy 'center-crop'")
    _ = try run(["classify", model, scans, "--share", "2/2", "-o", folder.file("c.npy")])
    _ = try run(["features", model, scans, "--share", "2/3", "-o", folder.file("d.npy")])
    let counts = try run(
      ["merge", first, folder.file("d.npy"), "-o", folder.file("m.npy")], status: 65)
    #expect(counts.errors.contains("is one of 3 shares, not of 2"))
    try FileManager.default.removeItem(atPath: "\(scans)/c4.nii.gz")
    _ = try run(["features", model, scans, "--share", "2/2", "-o", folder.file("e.npy")])
    let cases = try run(
      ["merge", first, folder.file("e.npy"), "-o", folder.file("m.npy")], status: 65)
    #expect(cases.errors.contains("is a share of 3 cases that are not the 4 of"))
  }

  @Test func nnUNetsAndClustersSpellingsAreTheSameShares() throws {
    func cases(_ name: String) throws -> [String] {
      let json = try JSONParser.parse(Bytes(Array(content("\(name).json"))))
      return json["cases"]?.array?.compactMap(\.string) ?? []
    }
    _ = try run(
      ["features", model, scans, "-part_id", "1", "-num_parts", "3", "-o", folder.file("n.npy")])
    #expect(try cases("n") == ["c2"])
    _ = try run(
      ["features", model, scans, "--share", "auto", "-o", folder.file("s.npy")],
      environment: [
        "SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_MIN": "2", "SLURM_ARRAY_TASK_MAX": "4",
        "SLURM_ARRAY_TASK_COUNT": "3",
      ])
    #expect(try cases("s") == ["c3"])
    // Tasks may have lists of their own.
    _ = try run(
      ["features", model, scans, "-o", folder.file("all.npy")],
      environment: ["SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_COUNT": "4"])
    #expect(try cases("all").count == 4)
    for bad in ["0/2", "3/2", "x", "auto/0"] {
      _ = try run(
        ["features", model, scans, "--share", bad, "-o", folder.file("x.npy")], status: 64)
    }
  }

  @Test func mapsAndThePageAreWritten() throws {
    let (maps, page) = (folder.file("maps"), folder.file("page.html"))
    let result = try run([
      "classify", model, scans, "--maps", maps, "--report", page, "--format", "jsonl",
    ])
    #expect(result.output.split(separator: "\n").count == 4)
    let names = try FileManager.default.contentsOfDirectory(atPath: maps)
    let expected = (1...4).flatMap {
      ["c\($0).class0.nii.gz", "c\($0).class1.nii.gz", "c\($0).png"]
    }
    #expect(Set(names) == Set(expected))
    let html = String(decoding: try content("page.html"), as: UTF8.self)
    #expect(html.components(separatedBy: "data:image/png;base64,").count == 5)
    for name in ["c1", "c4", "class0", "class1"] { #expect(html.contains(">\(name)<")) }
    // Nothing is fetched: the one address is SVG's name.
    let addresses = html.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "")
    #expect(!html.contains("<script") && !addresses.contains("://"))
  }
}
