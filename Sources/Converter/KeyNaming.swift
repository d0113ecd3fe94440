// SPDX-License-Identifier: Apache-2.0
/// Whose names the keys of a state dict are.
enum KeyNaming: Hashable, CaseIterable {
  case stuNet, dynUNet, primus
  /// nnU-Net's.
  case version2
  /// nnU-Net's before 2.0.
  case version1

  /// What the family is called; `nil` for nnU-Net's own networks.
  var family: String? {
    switch self {
    case .version1, .version2: nil
    case .stuNet: "STU-Net"
    case .dynUNet: "MONAI DynUNet"
    case .primus: "Primus"
    }
  }

  /// Names of an encoder's first layers, by which it is known. Of several that fit a key the first one
  /// counts, in the order of the cases.
  var markers: [String] {
    switch self {
    case .stuNet: ["conv_blocks_context.0.0.conv1."]
    case .dynUNet: ["input_block.conv1.conv."]
    case .primus: ["eva.blocks.0.attn.", "eva.blocks.0.norm1."]
    case .version2: ["stem.convs.0.", "stages.0.0.convs.0.", "stages.0.blocks.0."]
    case .version1: ["conv_blocks_context."]
    }
  }

  /// The canonical name of a family's key, what stands before the network's names left out: `encoder.` and
  /// its own name, or `decoder.` and that of what segments or reconstructs.
  func canonicalName(_ key: String) -> String {
    func begins(_ modules: [String]) -> Bool { modules.contains { key.hasPrefix($0) } }
    let (encoder, decoder): ([String], [String])
    switch self {
    case .version1, .version2: return key
    case .stuNet:
      encoder = ["conv_blocks_context."]
      decoder = ["conv_blocks_localization.", "upsample_layers.", "seg_outputs."]
    case .dynUNet:
      encoder = ["input_block.", "downsamples.", "bottleneck."]
      decoder = [
        "upsamples.", "output_block.", "deep_supervision_heads.", "heads.", "skip_layers.",
      ]
    case .primus:
      encoder = ["down_projection.", "eva.", "register_tokens"]
      decoder = ["up_projection.", "mask_token"]
    }
    if begins(encoder) { return "encoder.\(key)" }
    return begins(decoder) ? "decoder.\(key)" : key
  }
}
