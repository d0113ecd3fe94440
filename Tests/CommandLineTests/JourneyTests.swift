// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import SWTRuntime
import TestSupport
import Testing

/// From checkpoint to features and logits through the two commands, held against PyTorch's numbers.
@Suite struct JourneyTests {
  static let models =
    Fixtures.checkpointNames.map { "\(Fixtures.folder)/checkpoints/\($0)" }
    + ["\(Fixtures.folder)/checkpoints/plain3d__v1__float32"]
    + ["\(Fixtures.repository)/Examples/brain-mri"]

  private static func checkpoint(of model: String) throws -> String {
    let name = model.split(separator: "/").last.map(String.init) ?? ""
    if name.contains("__v1__") { return "\(model)/nnUNet" }
    return name == "brain-mri" ? Fixtures.exampleCheckpoint : try Fixtures.checkpoint(in: name)
  }

  private func run(_ name: String, _ arguments: [String]) throws {
    let result = try Command.run(name, arguments)
    #expect(result.status == 0, "\(name) \(arguments): \(result.errors)")
  }

  private func expectEqual(_ found: String, _ expected: String, within bound: Double) throws {
    let (found, expected) = (try NPYArray(contentsOf: found), try NPYArray(contentsOf: expected))
    #expect(found.shape == expected.shape)
    #expect(Difference(found.values, expected.values).relative <= bound)
  }

  @Test(arguments: models)
  func featuresAndLogitsArePyTorchs(model: String) throws {
    let folder = try TemporaryFolder()
    let swt = folder.file("m.swt")
    try run(
      "nnconvert",
      ["convert", try Self.checkpoint(of: model), "--head", "\(model)/head.pth", "-o", swt])
    let input = "\(model)/input.npy"
    let stages = try Fixtures.names(in: model).filter { $0.hasPrefix("skip_") }.count
    for stage in 0..<stages {
      try run("nnrun", ["features", swt, input, "--stage", "\(stage)", "-o", folder.file("s.npy")])
      try expectEqual(folder.file("s.npy"), "\(model)/skip_\(stage).npy", within: 1e-4)
    }
    try run("nnrun", ["features", swt, input, "--pooled", "-o", folder.file("p.npy")])
    try expectEqual(folder.file("p.npy"), "\(model)/pooled.npy", within: 1e-4)
    try run("nnrun", ["classify", swt, input, "-o", folder.file("l.npy")])
    try expectEqual(folder.file("l.npy"), "\(model)/logits.npy", within: 1e-4)
  }

  @Test(arguments: ["f16", "bf16"])
  func narrowedModelsStayClose(dtype: String) throws {
    let folder = try TemporaryFolder()
    let model = Self.models[Self.models.count - 1]
    try run(
      "nnconvert",
      [
        "convert", Fixtures.exampleCheckpoint, "--head", "\(model)/head.pth", "--dtype", dtype,
        "-o",
        folder.file("m.swt"),
      ])
    try run(
      "nnrun", ["classify", folder.file("m.swt"), "\(model)/input.npy", "-o", folder.file("l.npy")])
    try expectEqual(folder.file("l.npy"), "\(model)/logits.npy", within: 1e-2)
  }

  /// bf16 where the processor has it: close to f32, and it says how close.
  @Test(.enabled(if: Machine.precisions.contains(.bf16), "no bf16 here"))
  func bf16StaysCloseAndSaysHowClose() throws {
    let folder = try TemporaryFolder()
    let model = Self.models[Self.models.count - 1]
    try run(
      "nnconvert",
      [
        "convert", Fixtures.exampleCheckpoint, "--head", "\(model)/head.pth", "-o",
        folder.file("m.swt"),
      ])
    try run(
      "nnrun",
      [
        "classify", folder.file("m.swt"), "\(model)/input.npy", "--precision", "bf16", "-o",
        folder.file("l.npy"),
      ])
    try expectEqual(folder.file("l.npy"), "\(model)/logits.npy", within: 3e-2)
    let bench = try Command.run(
      "nnrun", ["bench", folder.file("m.swt"), "--precision", "bf16", "--runs", "1", "--layers"])
    #expect(bench.output.contains("direct bf16") && bench.output.contains("differs from f32 by"))
    let selftest = try Command.run(
      "nnrun", ["selftest", folder.file("m.swt"), "--precision", "bf16"])
    #expect(selftest.status == 0 && selftest.output.contains("direct bf16"), "\(selftest.output)")
  }

  @Test(arguments: models)
  func selftestFindsEveryKernelRight(model: String) throws {
    let folder = try TemporaryFolder()
    try run("nnconvert", ["convert", try Self.checkpoint(of: model), "-o", folder.file("m.swt")])
    let result = try Command.run("nnrun", ["selftest", folder.file("m.swt")])
    #expect(result.status == 0, "\(result.output)\(result.errors)")
    #expect(result.output.contains("direct, kernel") && !result.output.contains("WRONG"))
  }

  @Test func allStagesAtOnceAndJSON() throws {
    let folder = try TemporaryFolder()
    try run("nnconvert", ["convert", Fixtures.exampleCheckpoint, "-o", folder.file("m.swt")])
    let input = "\(Fixtures.repository)/Examples/brain-mri/input.npy"
    let result = try Command.run(
      "nnrun",
      ["features", folder.file("m.swt"), input, "--all-stages", "-o", folder.path, "--json"])
    #expect(result.status == 0)
    #expect(result.output.contains("\"model_id\""))
    for stage in 0..<4 {
      try expectEqual(
        folder.file("stage\(stage).npy"),
        "\(Fixtures.repository)/Examples/brain-mri/skip_\(stage).npy", within: 1e-4)
    }
  }

  @Test func theResultDoesNotDependOnTheNumberOfThreads() throws {
    let folder = try TemporaryFolder()
    let head = "\(Fixtures.repository)/Examples/brain-mri/head.pth"
    try run(
      "nnconvert",
      ["convert", Fixtures.exampleCheckpoint, "--head", head, "-o", folder.file("m.swt")])
    let input = "\(Fixtures.repository)/Examples/brain-mri/input.npy"
    for threads in ["1", "2", "5"] {
      try run(
        "nnrun",
        [
          "classify", folder.file("m.swt"), input, "--threads", threads, "-o",
          folder.file("l\(threads).npy"),
        ])
    }
    try expectEqual(folder.file("l1.npy"), folder.file("l2.npy"), within: 1e-5)
    try expectEqual(folder.file("l1.npy"), folder.file("l5.npy"), within: 1e-5)
  }
}
