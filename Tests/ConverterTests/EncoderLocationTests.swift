// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Converter

/// Encoders are found by the names of their first layers, whatever stands before.
@Suite struct EncoderLocationTests {
  @Test(arguments: [
    ("encoder.stages.0.0.convs.0.conv.weight", "encoder."),
    ("stages.0.0.convs.0.all_modules.0.weight", ""),
    ("stem.convs.0.conv.weight", ""),
    ("module.encoder.stem.convs.0.conv.weight", "encoder."),
    ("encoder._orig_mod.stages.0.0.convs.0.conv.weight", "encoder."),
    ("model._orig_mod.encoder.stem.convs.0.conv.weight", "model.encoder."),
    ("backbone.stages.0.blocks.0.conv1.conv.weight", "backbone."),
    ("model.feature_extractor.stem.convs.0.norm.weight", "model.feature_extractor."),
    ("decoder.encoder.stem.convs.0.conv.weight", "encoder."),
    ("net.decoder.encoder.stages.0.0.convs.0.conv.weight", "net.encoder."),
    ("conv_blocks_context.0.blocks.0.conv.weight", ""),
  ])
  func theTextBeforeTheEncodersNamesIsThePrefix(key: String, prefix: String) {
    #expect(EncoderLocation.all(in: [key]).map(\.prefix) == [prefix])
  }

  @Test(arguments: [
    "decoder.stages.0.convs.0.conv.weight", "decoder.stages.0.blocks.0.conv1.conv.weight",
    "fc.weight",
    "xstages.0.0.convs.0.conv.weight", "", ".",
  ])
  func othersAreNone(key: String) { #expect(EncoderLocation.all(in: [key]).isEmpty) }

  @Test func aStrayNameMakesNoNetworkOfVersion1() {
    let keys = ["encoder.stem.convs.0.conv.weight", "conv_blocks_context.0.blocks.0.conv.weight"]
    #expect(EncoderLocation.all(in: keys).map(\.isVersion1) == [false])
  }
}
