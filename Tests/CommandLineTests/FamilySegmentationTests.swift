// SPDX-License-Identifier: Apache-2.0
import NPY
import TestSupport
import Testing

/// Whole networks of other families than nnU-Net's, decoders included, give PyTorch's logits on every
/// instruction set.
@Suite struct FamilySegmentationTests {
  /// Folders of `Tests/Fixtures` with a checkpoint, an input and the logits.
  static let names = ["stunet", "primus/v1_registers_noscale", "primus/v2"]

  @Test(arguments: names)
  func logitsAreThoseOfPyTorch(name: String) throws {
    let source = "\(Fixtures.folder)/\(name)"
    let folder = try TemporaryFolder()
    let (swt, output) = (folder.file("m.swt"), folder.file("o.npy"))
    let conversion = try Command.run(
      "nnconvert",
      ["convert", "\(source)/checkpoint_final.pth", "--part", "network", "-o", swt])
    try #require(conversion.status == 0, "\(conversion.errors)")
    #expect(!conversion.errors.contains("warning"), "\(conversion.errors)")
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
