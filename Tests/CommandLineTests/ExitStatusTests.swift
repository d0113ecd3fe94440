// SPDX-License-Identifier: Apache-2.0
import FileIO
import TestSupport
import Testing

/// Exit statuses and one-line messages, as the design fixes them.
@Suite struct ExitStatusTests {
  private let folder: TemporaryFolder
  private let model: String
  private let input = "\(Fixtures.repository)/Examples/brain-mri/input.npy"

  init() throws {
    folder = try TemporaryFolder()
    model = folder.file("m.swt")
    _ = try Command.run("nnconvert", ["convert", Fixtures.exampleCheckpoint, "-o", model])
  }

  private func expect(
    _ status: Int32, _ name: String, _ arguments: [String], word: String,
    environment: [String: String] = [:]
  ) throws {
    let result = try Command.run(name, arguments, environment: environment)
    #expect(result.status == status, "\(arguments): \(result.errors)")
    #expect(result.errors.contains(word), "\(result.errors)")
    if status != 64 || result.errors.hasPrefix(name) {
      #expect(result.errors.split(separator: "\n").count == 1)
      #expect(result.errors.hasPrefix("\(name): error: "))
    }
    #expect(result.output.isEmpty)
  }

  @Test func converterRefusals() throws {
    let checkpoint = Fixtures.exampleCheckpoint
    try expect(64, "nnconvert", ["convert", checkpoint], word: "--output")
    try expect(
      64, "nnconvert", ["convert", checkpoint, "-o", model, "--dtype", "f64"], word: "f64")
    try expect(65, "nnconvert", ["convert", input, "-o", folder.file("x.swt")], word: "NumPy")
    try expect(
      66, "nnconvert", ["convert", folder.file("none"), "-o", folder.file("x.swt")], word: "none")
    try expect(66, "nnconvert", ["inspect", "/dev/null"], word: "device")
    try expect(73, "nnconvert", ["convert", checkpoint, "-o", model], word: "--force")
    try expect(73, "nnconvert", ["convert", checkpoint, "-o", "/nowhere/x.swt"], word: "nowhere")
    try expect(
      73, "nnconvert", ["convert", checkpoint, "-o", folder.path, "--force"], word: "folder")
    for name in ["x.pth", "x.npy", "x.swt.bak", "-", ""] {
      let output = name.hasPrefix("x") ? folder.file(name) : name
      try expect(64, "nnconvert", ["convert", checkpoint, "-o", output], word: "output '")
    }
    for name in ["x.pth", "x.swt", "-"] {
      let output = name.hasPrefix("x") ? folder.file(name) : name
      try expect(64, "nnconvert", ["export", model, "-o", output], word: "output '")
    }
    #expect(folder.content == ["m.swt"])
  }

  @Test func runtimeRefusals() throws {
    try expect(65, "nnrun", ["classify", model, input], word: "nnconvert attach")
    try expect(65, "nnrun", ["info", Fixtures.exampleCheckpoint], word: "zip")
    try expect(66, "nnrun", ["info", folder.file("none")], word: "none")
    try expect(
      64, "nnrun", ["features", model, input, "--stage", "9", "-o", folder.file("f")],
      word: "stage 9")
    try expect(73, "nnrun", ["features", model, input, "-o", model], word: "input")
    try expect(65, "nnrun", ["info", model, "--shape", "8,8,8"], word: "one voxel")
    try expect(
      64, "nnrun", ["info", model], word: "SWT_ISA", environment: ["SWT_ISA": "abacus"])
    try expect(
      64, "nnrun", ["classify", model, input, "--precision", "bf16"], word: "no bf16 arithmetic",
      environment: ["SWT_ISA": "portable"])
    #expect(folder.content == ["m.swt"])
  }

  @Test func aDamagedModelIsFoundByVerify() throws {
    var bytes = try MappedFile(path: model).bytes.array
    bytes[bytes.count - 1] ^= 1
    var file = try AtomicFile(path: folder.file("d.swt"), replacing: false)
    try file.write(bytes)
    try file.commit()
    // Both commands name the file as well as the tensor.
    try expect(65, "nnconvert", ["verify", folder.file("d.swt")], word: "d.swt': tensor '")
    try expect(65, "nnrun", ["selftest", folder.file("d.swt")], word: "d.swt': tensor '")
  }

  @Test func verifyAgainstAnotherCheckpointSaysWhatDiffers() throws {
    let other = try Fixtures.checkpoint(in: "plain3d__v2.8__float32")
    let result = try Command.run("nnconvert", ["verify", model, "--against", other])
    #expect(result.status == 1)
    #expect(result.output.contains("differs"))
  }
}
