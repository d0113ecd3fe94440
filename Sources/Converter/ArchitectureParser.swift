// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat

/// Reads a network's architecture from a configuration of the plans.
///
/// Source: nnunetv2 `ConfigurationManager`, `get_network_from_plans`; the constructors of
/// dynamic_network_architectures' `PlainConvUNet` and `ResidualEncoderUNet`.
struct ArchitectureParser {
  let configuration: JSONField
  let inputChannels: Int
  let segmentationHeads: Int

  /// The whole network; without a decoder where the class is an encoder by itself, or has another.
  func parse() throws -> NetworkArchitecture {
    let patchSize = try configuration["patch_size"]
    let dimension = try patchSize.elements(2...3).count
    let architecture =
      try configuration.optional("architecture") ?? Self.fromOldSchema(configuration)
    let className = try architecture["network_class_name"].name()
    let name = Self.lastPart(className)
    if let preset = Self.presets[name], try architecture.optional("arch_kwargs") == nil {
      return try parse(
        .residualEncoderUNet, JSONField(path: "\(architecture.path).\(name)", value: preset),
        dimension: dimension, hasDecoder: true)
    }
    guard let (networkClass, hasDecoder) = Self.classes[name] else {
      throw ConversionError(
        .unsupported(
          what: "network class \(className)",
          advice: "if its encoder is nnU-Net's, give \(.plansPath) whose network_class_name is "
            + "PlainConvUNet or ResidualEncoderUNet"))
    }
    return try parse(
      networkClass, try architecture["arch_kwargs"], dimension: dimension, hasDecoder: hasDecoder)
  }

  /// Strides of the stages, whatever network the plans name.
  func strides() throws -> [[Int]] {
    let dimension = try configuration["patch_size"].elements(2...3).count
    let architecture =
      try configuration.optional("architecture") ?? Self.fromOldSchema(configuration)
    let keywords = try architecture["arch_kwargs"]
    return try perStageAndAxis(
      keywords["strides"], keywords["n_stages"].integer(NetworkArchitecture.Bounds.stages),
      dimension, NetworkArchitecture.Bounds.stride)
  }

  /// Classes with an encoder that can be converted, and whether they have a decoder.
  private static let classes:
    [String: (networkClass: NetworkArchitecture.NetworkClass, hasDecoder: Bool)] = [
      "PlainConvUNet": (.plainConvUNet, true), "PlainConvEncoder": (.plainConvUNet, false),
      "ResidualEncoderUNet": (.residualEncoderUNet, true),
      "ResidualUNet": (.residualUNet, true),
      "ResidualEncoder": (.residualEncoderUNet, false),
    ]

  /// Networks that nnssl, and nnU-Net fine-tuning its checkpoints, know by name alone.
  private static let presets: [String: JSONValue] = {
    let modules = "torch.nn.modules"
    let resEncL: JSONValue = [
      "n_stages": 6, "features_per_stage": [32, 64, 128, 256, 320, 320],
      "conv_op": .string("\(modules).conv.Conv3d"), "kernel_sizes": 3,
      "strides": [1, 2, 2, 2, 2, 2], "n_blocks_per_stage": [1, 3, 4, 6, 6, 6],
      "n_conv_per_stage_decoder": [1, 1, 1, 1, 1], "conv_bias": true,
      "norm_op": .string("\(modules).instancenorm.InstanceNorm3d"),
      "norm_op_kwargs": ["eps": 1e-5, "affine": true],
      "nonlin": "torch.nn.LeakyReLU", "nonlin_kwargs": ["inplace": true],
    ]
    return ["ResEncL": resEncL, "NoSkipResEncL": resEncL]
  }()

  private static func lastPart(_ dottedName: String) -> String {
    dottedName.split(separator: ".").last.map(String.init) ?? dottedName
  }

  /// The `arch_kwargs` that we know; others are refused, since they change the network.
  private static let knownKeywords: Set<String> = [
    "n_stages", "features_per_stage", "conv_op", "kernel_sizes", "strides", "n_conv_per_stage",
    "n_blocks_per_stage", "n_conv_per_stage_decoder", "conv_bias", "norm_op", "norm_op_kwargs",
    "dropout_op", "dropout_op_kwargs", "nonlin", "nonlin_kwargs", "block",
    "bottleneck_channels", "stem_channels", "deep_supervision", "input_channels", "num_classes",
    "n_blocks_per_stage_decoder", "return_skips", "stochastic_depth_p",
  ]

  /// What the constructors take too, each with the values that change nothing.
  private static let inactiveKeywords: [String: [JSONValue]] = [
    "nonlin_first": [false], "squeeze_excitation": [false], "disable_default_stem": [false],
    "pool": ["conv"], "pool_type": ["conv"], "squeeze_excitation_reduction_ratio": [0.0625],
  ]

  private func parse(
    _ networkClass: NetworkArchitecture.NetworkClass, _ keywords: JSONField, dimension: Int,
    hasDecoder: Bool
  ) throws -> NetworkArchitecture {
    typealias Bounds = NetworkArchitecture.Bounds
    try checkKeywords(keywords)
    try require(keywords, "conv_op", is: "Conv\(dimension)d")
    if try keywords.optional("dropout_op") != nil {
      try require(keywords, "dropout_op", is: "Dropout\(dimension)d")
    }
    let stageCount = try keywords["n_stages"].integer(Bounds.stages)
    let features = try perStage(keywords["features_per_stage"], stageCount, Bounds.features)
    let kernels = try perStageAndAxis(
      keywords["kernel_sizes"], stageCount, dimension, Bounds.kernelSize)
    for (index, kernel) in kernels.enumerated() where kernel.contains(where: { $0 % 2 == 0 }) {
      throw try keywords["kernel_sizes"].problem("of stage \(index) is even: \(kernel)")
    }
    let strides = try perStageAndAxis(keywords["strides"], stageCount, dimension, Bounds.stride)
    let isResidual = networkClass.isResidual
    let blocks = try perStage(
      keywords[isResidual ? "n_blocks_per_stage" : "n_conv_per_stage"], stageCount, Bounds.blocks)
    // A decoder whose logits are smaller than the input cannot have been trained.
    let decoderConvolutions =
      hasDecoder && strides[0].allSatisfy { $0 == 1 }
      ? try perStage(keywords["n_conv_per_stage_decoder"], stageCount - 1, Bounds.blocks) : nil

    let block = try blockKind(networkClass, keywords)
    var bottlenecks: [Int]?
    if block == .bottleneck {
      bottlenecks = try perStage(keywords["bottleneck_channels"], stageCount, Bounds.features)
    }
    let convolutionBias = try keywords.optional("conv_bias")?.bool() ?? false
    return NetworkArchitecture(
      networkClass: networkClass, dimension: dimension, inputChannels: inputChannels,
      stemChannels: isResidual
        ? try keywords.optional("stem_channels")?.integer(Bounds.features) ?? features[0] : nil,
      stages: (0..<stageCount).map { stage in
        NetworkArchitecture.Stage(
          features: features[stage], kernelSize: kernels[stage], stride: strides[stage],
          blocks: blocks[stage], bottleneckChannels: bottlenecks?[stage])
      },
      block: block, convolutionBias: convolutionBias,
      normalization: try normalization(keywords, dimension),
      nonlinearity: try nonlinearity(keywords),
      decoder: decoderConvolutions.map { convolutions in
        NetworkArchitecture.Decoder(
          stages: (0..<stageCount - 1).map { index in
            let skip = stageCount - 2 - index
            return NetworkArchitecture.Decoder.Stage(
              features: features[skip], kernelSize: kernels[skip], upsampling: strides[skip + 1],
              convolutions: convolutions[index])
          },
          segmentationHeads: segmentationHeads, upsamplingBias: convolutionBias,
          segmentationBias: true)
      })
  }

  private func checkKeywords(_ keywords: JSONField) throws {
    for member in keywords.value.object?.members ?? []
    where !Self.knownKeywords.contains(member.key) {
      let inactive = Self.inactiveKeywords[member.key] ?? []
      guard !member.value.isNull, !inactive.contains(member.value) else { continue }
      throw ConversionError(
        .unsupported(
          what: "\(keywords.path).\(member.key)"
            + (inactive.isEmpty ? "" : " = \(member.value.lineText)"),
          advice: inactive.isEmpty
            ? "it is no keyword of nnU-Net's networks"
            : "train with the default, \(inactive[0].lineText)"))
    }
    if let channels = try keywords.optional("input_channels"),
      channels.value.integer != inputChannels
    {
      throw channels.problem(
        "is \(channels.value.lineText), but there are \(inputChannels) channels")
    }
  }

  // MARK: - Keywords

  private func require(_ keywords: JSONField, _ key: String, is name: String) throws {
    let field = try keywords[key]
    let found = Self.lastPart(try field.name())
    guard found == name else {
      throw ConversionError(
        .unsupported(
          what: "\(field.path) = \(found)", advice: "\(name) was expected here"))
    }
  }

  /// A list with one integer per stage, or one integer for all.
  private func perStage(
    _ field: JSONField, _ count: Int, _ range: ClosedRange<Int>
  ) throws -> [Int] {
    if field.value.integer != nil {
      return [Int](repeating: try field.integer(range), count: count)
    }
    return try field.integers(range, count: count...count)
  }

  /// A list with one integer or a list of integers per stage.
  private func perStageAndAxis(
    _ field: JSONField, _ count: Int, _ dimension: Int, _ range: ClosedRange<Int>
  ) throws -> [[Int]] {
    if field.value.integer != nil {
      let size = try field.integer(range)
      return [[Int]](repeating: [Int](repeating: size, count: dimension), count: count)
    }
    return try field.elements(count...count).map { try perStage($0, dimension, range) }
  }

  private func blockKind(
    _ networkClass: NetworkArchitecture.NetworkClass, _ keywords: JSONField
  ) throws -> NetworkArchitecture.BlockKind {
    let block = try keywords.optional("block")
    guard networkClass.isResidual else {
      guard block == nil else {
        throw ConversionError(
          .unsupported(
            what: "\(keywords.path).block", advice: "PlainConvUNet has no blocks to choose"))
      }
      return .convolution
    }
    let name = try block.map { Self.lastPart(try $0.name()) } ?? "BasicBlockD"
    guard let kind = NetworkArchitecture.BlockKind(rawValue: name),
      networkClass.blocks.contains(kind)
    else {
      throw ConversionError(
        .unsupported(
          what: "\(keywords.path).block = \(name)", advice: "BasicBlockD and BottleneckD are known")
      )
    }
    let hasWidth = try keywords.optional("bottleneck_channels") != nil
    guard hasWidth == (kind == .bottleneck) else {
      throw try keywords["block"].problem("is \(name), which does not fit bottleneck_channels")
    }
    return kind
  }

  private func normalization(
    _ keywords: JSONField, _ dimension: Int
  ) throws -> NetworkArchitecture.Normalization {
    guard let op = try keywords.optional("norm_op") else {
      throw ConversionError(
        .unsupported(
          what: "\(keywords.path).norm_op = null", advice: "nnU-Net's networks have a norm"))
    }
    let kinds: [String: NetworkArchitecture.Normalization.Kind] = [
      "InstanceNorm\(dimension)d": .instance, "BatchNorm\(dimension)d": .batch,
    ]
    let name = Self.lastPart(try op.name())
    guard let kind = kinds[name] else {
      throw ConversionError(
        .unsupported(
          what: "\(op.path) = \(name)",
          advice: "InstanceNorm\(dimension)d and BatchNorm\(dimension)d can be converted"))
    }
    // torch's own defaults, for what the plans leave out.
    var norm = NetworkArchitecture.Normalization(kind: kind, eps: 1e-5, affine: kind == .batch)
    guard let options = try keywords.optional("norm_op_kwargs") else { return norm }
    for member in options.value.object?.members ?? [] {
      let field = try options[member.key]
      switch member.key {
      case "eps":
        norm.eps = try field.number()
        guard norm.eps >= 0, norm.eps < 1 else { throw field.problem("is \(norm.eps)") }
      case "affine": norm.affine = try field.bool()
      case "momentum": break
      case "track_running_stats":
        guard try field.bool() == (kind == .batch) else {
          throw ConversionError(
            .unsupported(
              what: "\(field.path) = \(kind != .batch)", advice: "nnU-Net trains with the default"))
        }
      default:
        throw ConversionError(.unsupported(what: field.path, advice: "it is no keyword of \(name)"))
      }
    }
    return norm
  }

  private func nonlinearity(_ keywords: JSONField) throws -> NetworkArchitecture.Nonlinearity {
    guard let op = try keywords.optional("nonlin") else {
      throw ConversionError(
        .unsupported(
          what: "\(keywords.path).nonlin = null", advice: "nnU-Net's networks have a nonlinearity"))
    }
    let name = Self.lastPart(try op.name())
    guard let kind = NetworkArchitecture.Nonlinearity.Kind(rawValue: name) else {
      throw ConversionError(
        .unsupported(
          what: "\(op.path) = \(name)", advice: "LeakyReLU and ReLU can be converted"))
    }
    var slope = kind == .leakyReLU ? 0.01 : 0
    if let options = try keywords.optional("nonlin_kwargs") {
      for member in options.value.object?.members ?? [] {
        let field = try options[member.key]
        switch member.key {
        case "inplace": break
        case "negative_slope" where kind == .leakyReLU:
          slope = try field.number()
          guard abs(slope) <= 1 else { throw field.problem("is \(slope), outside -1…1") }
        default:
          throw ConversionError(
            .unsupported(what: field.path, advice: "it is no keyword of \(name)"))
        }
      }
    }
    return NetworkArchitecture.Nonlinearity(kind: kind, negativeSlope: slope)
  }

  // MARK: - The schema of nnU-Net 2.0 to 2.2

  /// The `architecture` block that a configuration of the old schema stands for.
  private static func fromOldSchema(_ configuration: JSONField) throws -> JSONField {
    typealias Bounds = NetworkArchitecture.Bounds
    let convolutions = try configuration["n_conv_per_stage_encoder"]
    let count = try convolutions.elements(Bounds.stages).count
    let dimension = try configuration["patch_size"].elements(2...3).count
    let base = try configuration["UNet_base_num_features"].integer(Bounds.features)
    let limit = try configuration["unet_max_num_features"].integer(Bounds.features)
    let className = try configuration["UNet_class_name"].name()
    let modules = "torch.nn.modules"
    let keywords: JSONValue = [
      "n_stages": .integer(count),
      "features_per_stage": JSONValue((0..<count).map { min(base << min($0, 16), limit) }),
      "conv_op": .string("\(modules).conv.Conv\(dimension)d"),
      "kernel_sizes": try configuration["conv_kernel_sizes"].value,
      "strides": try configuration["pool_op_kernel_sizes"].value,
      className == "ResidualEncoderUNet" ? "n_blocks_per_stage" : "n_conv_per_stage":
        convolutions.value,
      "n_conv_per_stage_decoder": try configuration["n_conv_per_stage_decoder"].value,
      "conv_bias": true,
      "norm_op": .string("\(modules).instancenorm.InstanceNorm\(dimension)d"),
      "norm_op_kwargs": ["eps": 1e-5, "affine": true],
      "nonlin": "torch.nn.LeakyReLU",
      "nonlin_kwargs": ["inplace": true],
    ]
    return JSONField(
      path: configuration.path,
      value: ["network_class_name": .string(className), "arch_kwargs": keywords])
  }
}
