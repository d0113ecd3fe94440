// SPDX-License-Identifier: Apache-2.0
import NPY
import TestSupport
import Testing

/// Whole networks of other families than nnU-Net's, decoders included, give PyTorch's logits on every
/// instruction set.
@Suite struct FamilySegmentationTests {
  /// Checkpoints in folders of `Tests/Fixtures`, beside an input and the logits.
  static let names = [
    "stunet/checkpoint_final.pth", "primus/v1_registers_noscale/checkpoint_final.pth",
    "primus/v2/checkpoint_final.pth", "dynunet",
  ]

  @Test(arguments: names)
  func logitsAreThoseOfPyTorch(name: String) throws {
    let input = "\(Fixtures.folder)/\(name)"
    let source =
      input.hasSuffix(".pth") ? String(input.dropLast("/checkpoint_final.pth".count)) : input
    let folder = try TemporaryFolder()
    let (swt, output) = (folder.file("m.swt"), folder.file("o.npy"))
    let conversion = try Command.run(
      "nnconvert", ["convert", input, "--part", "network", "-o", swt])
    try #require(conversion.status == 0, "\(conversion.errors)")
    // A bundle's transforms are warned of.
    #expect(
      conversion.errors.contains("warning") == (name == "dynunet"), "\(conversion.errors)")
    let expected = try NPYArray(contentsOf: "\(source)/seg_logits.npy").values
    for isa in ["portable", nil] {
      let result = try Command.run(
        "nnrun", ["features", swt, "\(source)/input.npy", "--logits-map", "-o", output],
        environment: isa.map { ["SWT_ISA": $0] } ?? [:])
      try #require(result.status == 0, "\(result.errors)")
      #expect(!result.errors.contains("warning"), "\(result.errors)")
      let difference = Difference(try NPYArray(contentsOf: output).values, expected)
      #expect(difference.relative <= 3e-5, "\(isa ?? "the best"): \(difference)")
    }
  }

  /// A stage's features of a DynUNet with residual blocks, and heads for deep supervision that nothing needs.
  @Test(arguments: 0..<4)
  func stagesBesideADecoderAreThoseOfPyTorch(stage: Int) throws {
    let source = "\(Fixtures.folder)/dynunet"
    let folder = try TemporaryFolder()
    let (swt, output) = (folder.file("m.swt"), folder.file("o.npy"))
    let conversion = try Command.run("nnconvert", ["convert", source, "-o", swt])
    try #require(conversion.status == 0, "\(conversion.errors)")
    #expect(!conversion.errors.contains("left out"), "\(conversion.errors)")
    let result = try Command.run(
      "nnrun", ["features", swt, "\(source)/input.npy", "--stage", "\(stage)", "-o", output])
    try #require(result.status == 0, "\(result.errors)")
    let expected = try NPYArray(contentsOf: "\(source)/skip_\(stage).npy").values
    let difference = Difference(try NPYArray(contentsOf: output).values, expected)
    #expect(difference.relative <= 3e-5, "\(difference)")
  }

  /// What reconstructed images while it was pre-trained segments nothing.
  @Test func aDecoderOfPretrainingIsRefused() throws {
    let folder = try TemporaryFolder()
    let result = try Command.run(
      "nnconvert",
      [
        "convert", "\(Fixtures.folder)/primus/nnssl_primusx/checkpoint_final.pth", "--part",
        "network", "-o", folder.file("m.swt"),
      ])
    #expect(result.status == 64)
    #expect(result.errors.contains("PrimusX: the input has no decoder"), "\(result.errors)")
  }
}
