// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// Networks that are known by the names of their weights or trainers, and cannot be converted, or only
/// where their encoder is there.
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

  /// How its keys are named, where such networks can be converted.
  private var naming: KeyNaming? {
    switch self {
    case .primus: .primus
    case .stunet: .stuNet
    case .dynUNet: .dynUNet
    default: nil
    }
  }

  /// Why it cannot be converted, and what could be done.
  private var advice: Advice {
    switch self {
    case .primus, .stunet, .dynUNet: "its weights are not complete"
    case .mednext:
      "its depthwise 5×5×5 convolutions and GRN have no kernels here — train or take a ResEnc encoder"
    case .umamba:
      "its state-space scan runs on CUDA only and has no kernel here — train or take a ResEnc encoder"
    default:
      "encoders of PlainConvUNet, ResidualEncoderUNet, Primus, STU-Net and DynUNet can be converted"
    }
  }

  /// The network whose layer one of the keys names, with that key; wrappers may stand before it.
  private static func named(
    byKeys keys: [String], among networks: [OtherNetwork]
  ) -> (network: OtherNetwork, key: String)? {
    let markers = NameMarkers(networks.flatMap { network in network.markers.map { (network, $0) } })
    for key in keys.prefix(StateDict.entryLimit) where key.utf8.count <= EncoderLocation.keyLimit {
      if let found = markers.first(in: key) { return (found.owner, key) }
    }
    return nil
  }

  /// The network that a trainer of that name builds.
  private static func named(
    byTrainer trainer: String, among networks: [OtherNetwork]
  ) -> OtherNetwork? {
    let name = trainer.lowercased()
    return networks.first { network in network.trainer.map { name.contains($0) } ?? false }
  }

  /// Refuses weights of a network that cannot be converted.
  static func refuse(keys: [String], trainer: String?) throws(ConversionError) {
    let found = EncoderLocation.all(in: Array(keys.prefix(StateDict.entryLimit))).map(\.naming)
    let others = allCases.filter { network in
      !found.contains { $0 == network.naming }
    }
    if let (network, key) = named(byKeys: keys, among: others) {
      throw network.refusal(by: "key '\(key)'")
    }
    guard let trainer, let network = named(byTrainer: trainer, among: others) else { return }
    guard network.naming != nil, let naming = found.first else {
      throw network.refusal(by: "trainer \(trainer)")
    }
    let error = ConversionError(
      .notNNUNet(
        problem:
          "the trainer \(DisplayText.escaped(trainer)) builds \(network.name), these are another "
          + "network's weights", advice: "check that trainer and checkpoint belong together"))
    throw naming.family.map { ConversionError(.network($0, error)) } ?? error
  }

  private func refusal(by what: String) -> ConversionError {
    ConversionError(.unsupported(what: "\(name) (\(what))", advice: advice))
  }
}
