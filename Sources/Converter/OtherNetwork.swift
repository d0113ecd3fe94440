internal import FileIO

/// Networks that are known but cannot be converted, told by the names of their weights or trainers.
enum OtherNetwork: CaseIterable {
  case primus, stunet, dynUNet, mednext, umamba, swinUNETR, visionTransformer, resencVersion1

  /// For people.
  var name: String {
    switch self {
    case .primus: "the Primus transformer"
    case .stunet: "STU-Net"
    case .dynUNet: "MONAI's DynUNet"
    case .mednext: "MedNeXt"
    case .umamba: "U-Mamba"
    case .swinUNETR: "SwinUNETR"
    case .visionTransformer: "a vision transformer"
    case .resencVersion1: "the ResEnc network of nnU-Net v1"
    }
  }

  /// Names of layers that no other network has.
  private var markers: [String] {
    switch self {
    case .primus: ["eva.", "down_projection."]
    case .stunet: ["conv_blocks_context.0.0.conv1.", "upsample_layers.0.conv."]
    case .dynUNet: ["input_block.conv1.conv.", "skip_layers.downsample."]
    case .mednext: ["enc_block_0.", "dec_block_0."]
    case .umamba: ["mamba_layer.", "mamba_layers.", "mamba."]
    case .swinUNETR: ["swinViT."]
    case .visionTransformer: ["vit."]
    case .resencVersion1: ["encoder.initial_conv."]
    }
  }

  /// Part of the trainers' names.
  private var trainer: String? {
    switch self {
    case .primus: "primus"
    case .stunet: "stunet"
    case .mednext: "mednext"
    case .umamba: "umamba"
    case .swinUNETR: "swinunetr"
    case .resencVersion1: "v2_resencunet"
    case .dynUNet, .visionTransformer: nil
    }
  }

  /// The network whose layer one of the keys names, with that key; wrappers may stand before it.
  static func named(byKeys keys: [String]) -> (network: OtherNetwork, key: String)? {
    for key in keys where key.utf8.count <= 512 {
      for network in allCases {
        let isNamed = network.markers.contains { key.hasPrefix($0) || key.contains(".\($0)") }
        if isNamed { return (network, key) }
      }
    }
    return nil
  }

  /// The network that a trainer of that name builds.
  static func named(byTrainer trainer: String) -> OtherNetwork? {
    let name = trainer.lowercased()
    return allCases.first { network in network.trainer.map { name.contains($0) } ?? false }
  }

  /// Refuses weights of a network that cannot be converted.
  static func refuse(keys: [String], trainer: String?) throws(ConversionError) {
    if let (network, key) = named(byKeys: keys) {
      throw network.refusal(by: "key '\(key)'")
    }
    if let trainer, let network = named(byTrainer: trainer) {
      throw network.refusal(by: "trainer \(trainer)")
    }
  }

  private func refusal(by what: String) -> ConversionError {
    .unsupported(
      what: "\(name) (\(what))",
      advice: "encoders of PlainConvUNet and ResidualEncoderUNet can be converted")
  }
}
