// SPDX-License-Identifier: Apache-2.0
import FileIO
import Foundation
import TestSupport
import Testing

/// Where `nntrain` writes to: never over what it reads, over another result, or over what is nobody's cache.
@Suite struct TrainingOutputTests {
  private let folder: TemporaryFolder
  private static let scans = "\(Fixtures.repository)/Examples/train/scans"

  /// A model, and six scans of it beside their table.
  init() throws {
    folder = try TemporaryFolder()
    let converted = try Command.run(
      "nnconvert", ["convert", Fixtures.exampleCheckpoint, "-o", folder.file("m.swt"), "--quiet"])
    #expect(converted.status == 0, "\(converted.errors)")
    var rows = "case,image,label\n"
    for (index, name) in try Fixtures.names(in: Self.scans).prefix(6).enumerated() {
      let scan = "s\(index).nii.gz"
      try FileManager.default.copyItem(atPath: "\(Self.scans)/\(name)", toPath: folder.file(scan))
      rows += "c\(index),\(scan),\(index % 2 == 0 ? "a" : "b")\n"
    }
    try Data(rows.utf8).write(to: URL(fileURLWithPath: folder.file("t.csv")))
  }

  private func run(_ verb: String, _ options: [String]) throws -> CommandResult {
    let output = verb == "evaluate" ? [] : ["-o", folder.file("o.swt"), "--cv", "2"]
    return try Command.run(
      "nntrain",
      [verb, folder.file("m.swt"), folder.file("t.csv")] + output
        + options.map { $0.contains(".") ? folder.file($0) : $0 })
  }

  private func bytes(_ name: String) throws -> [UInt8] {
    try MappedFile(path: folder.file(name)).bytes.array
  }

  @Test(arguments: ["head", "finetune"], ["m.swt", "t.csv", "s0.nii.gz"])
  func noInputIsReplaced(verb: String, input: String) throws {
    let before = try bytes(input)
    for option in ["--cache", "--report", "--predictions"] {
      let result = try run(verb, [option, input])
      #expect(result.status == 73, "\(option): \(result.errors)")
      #expect(result.errors.contains("is an input file"), "\(option): \(result.errors)")
    }
    #expect(try bytes(input) == before)
    #expect(!folder.content.contains("o.swt"))
  }

  @Test(arguments: [
    ["--report", "o.swt"], ["--report", "./o.swt"],
    ["--report", "r.html", "--predictions", "r.html"],
    ["--predictions", "o.swt.features.npy"], ["--cache", "k.npy", "--report", "k.npy.json"],
  ])
  func noResultIsReplacedByAnother(options: [String]) throws {
    for verb in ["head", "finetune"] {
      let result = try run(verb, options)
      #expect(result.status == 73, "\(verb): \(result.errors)")
      #expect(result.errors.contains("two outputs are named"), "\(verb): \(result.errors)")
    }
    #expect(!folder.content.contains { $0.hasPrefix("o.swt") || $0.hasPrefix("r.html") })
  }

  @Test(arguments: ["--report", "--predictions", "--cache"])
  func noResultReplacesTheStateOfARun(option: String) throws {
    let result = try run("finetune", [option, "o.swt.state"])
    #expect(result.status == 73 && result.errors.contains("two outputs"), "\(result.errors)")
  }

  /// Features that `nnrun` made are an array with a `.json` too, which says something else.
  @Test func onlyItsOwnCacheIsReplaced() throws {
    let made = try Command.run(
      "nnrun",
      ["features", folder.file("m.swt"), folder.file("s0.nii.gz"), "-o", folder.file("f.npy")])
    #expect(made.status == 0, "\(made.errors)")
    let before = try bytes("f.npy")
    let refused = try run("head", ["--cache", "f.npy"])
    #expect(refused.status == 73 && refused.errors.contains("--cache"), "\(refused.errors)")
    #expect(try bytes("f.npy") == before)
    for kept in [false, true] {
      let result = try run("head", ["--cache", "k.npy"])
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors.contains("6 scans' features were kept") == kept, "\(result.errors)")
    }
  }

  @Test func aScanOfTwoCasesIsTold() throws {
    try FileManager.default.removeItem(atPath: folder.file("s3.nii.gz"))
    try FileManager.default.copyItem(
      atPath: folder.file("s0.nii.gz"), toPath: folder.file("s3.nii.gz"))
    let result = try run("head", [])
    #expect(result.status == 0, "\(result.errors)")
    #expect(
      result.errors.contains("1 scan is another case's too, such as 'c3' that of 'c0'"),
      "\(result.errors)")
  }

  /// What is trained keeps the model's policy: there is no option to change it.
  @Test func memoryThatDoesNotDoIsAnsweredByConverting() throws {
    let result = try run("head", ["--max-memory", "50M"])
    #expect(result.status == 65, "\(result.errors)")
    #expect(
      result.errors.contains("convert the model anew with --input-policy")
        || result.errors.contains("raise --max-memory"), "\(result.errors)")
  }
}
