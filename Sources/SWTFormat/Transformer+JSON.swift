// SPDX-License-Identifier: Apache-2.0
extension Transformer {
  /// The bounds that keep products of sizes far from overflow.
  package enum Bounds {
    package static let inputSize = 1...4096
    package static let patchSize = 1...64
    package static let heads = 1...256
    package static let features = 1...16_384
    package static let registers = 0...4096
    package static let depth = 1...256
    package static let levels = 0...6
    package static let levelBlocks = 1...64
    /// Image tokens: attention takes their square.
    package static let tokens = 1...(1 << 20)
  }

  /// An architecture with this transformer, under the words of `Primus`' constructor.
  func json(of architecture: NetworkArchitecture) -> JSONValue {
    let stage = architecture.stages[0]
    var object = JSONObject([
      ("family", .string(architecture.networkClass.rawValue)),
      ("dimension", .integer(architecture.dimension)),
      ("input_channels", .integer(architecture.inputChannels)),
      ("input_shape", JSONValue(inputSize)),
      ("patch_embed_size", JSONValue(stage.stride)),
      ("embed_dim", .integer(stage.features)),
      ("eva_depth", .integer(stage.blocks)),
      ("eva_numheads", .integer(heads)),
      ("mlp_features", .integer(hiddenFeatures)),
      ("num_register_tokens", .integer(registers)),
      ("use_rot_pos_emb", .bool(hasRotary)),
      ("use_abs_pos_embed", .bool(hasPositionEmbedding)),
      ("layer_scale", .bool(hasLayerScale)),
      ("scale_attn_inner", .bool(hasInnerNorm)),
      ("token_order", .string(tokenOrder.rawValue)),
    ])
    if let stem = architecture.stemChannels {
      object["tokenizer"] = [
        "stem_channels": .integer(stem), "add_skips": .bool(hasTokenSkips),
        "nonlin": architecture.nonlinearity.json,
        "levels": .array(
          levels.map { ["features": .integer($0.features), "blocks": .integer($0.blocks)] }),
      ]
    }
    if let decoder = architecture.decoder {
      object["up_projection"] = .array(
        decoder.stages.map {
          ["features": .integer($0.features), "upsampling": JSONValue($0.upsampling)]
        })
    }
    return .object(object)
  }

  /// Reads such an architecture.
  static func architecture(_ field: JSONField) throws(SWTError) -> NetworkArchitecture {
    _ = try field["dimension"].integer(3...3)
    let patchSize = try field["patch_embed_size"].integers(Bounds.patchSize, count: 3...3)
    let features = try field["embed_dim"].integer(Bounds.features)
    var transformer = Transformer(
      inputSize: try field["input_shape"].integers(Bounds.inputSize, count: 3...3),
      heads: try field["eva_numheads"].integer(Bounds.heads),
      hiddenFeatures: try field["mlp_features"].integer(Bounds.features),
      registers: try field["num_register_tokens"].integer(Bounds.registers),
      hasRotary: try field["use_rot_pos_emb"].bool(),
      hasPositionEmbedding: try field["use_abs_pos_embed"].bool(),
      hasLayerScale: try field["layer_scale"].bool(),
      hasInnerNorm: try field["scale_attn_inner"].bool(),
      tokenOrder: try field["token_order"].choice())
    guard zip(transformer.inputSize, patchSize).allSatisfy({ $0 % $1 == 0 }) else {
      throw try field["input_shape"].problem("cannot be divided by patch_embed_size \(patchSize)")
    }
    if let problem = transformer.headProblem(features: features) {
      throw try field["eva_numheads"].problem(problem)
    }
    var stem: Int?
    var nonlinearity = NetworkArchitecture.Nonlinearity(kind: .leakyReLU, negativeSlope: 0.01)
    if let tokenizer = try field.optional("tokenizer") {
      typealias Widths = NetworkArchitecture.Bounds
      stem = try tokenizer["stem_channels"].integer(Widths.features)
      nonlinearity = try NetworkArchitecture.Nonlinearity(tokenizer["nonlin"])
      transformer.hasTokenSkips = try tokenizer["add_skips"].bool()
      for level in try tokenizer["levels"].elements(Bounds.levels) {
        transformer.levels.append(
          Level(
            features: try level["features"].integer(Widths.features),
            blocks: try level["blocks"].integer(Bounds.levelBlocks)))
      }
      let stride = 1 << transformer.levels.count
      guard patchSize.allSatisfy({ $0 == stride }) else {
        throw try field["patch_embed_size"].problem("is not \(stride), as the levels make it")
      }
    }
    var architecture = NetworkArchitecture(
      inputChannels: try field["input_channels"].integer(NetworkArchitecture.Bounds.inputChannels),
      features: features, patchSize: patchSize, depth: try field["eva_depth"].integer(Bounds.depth),
      stemChannels: stem, nonlinearity: nonlinearity, transformer: transformer)
    guard Bounds.tokens.contains(architecture.grid.reduce(1, *)) else {
      throw try field["input_shape"].problem("makes more than \(Bounds.tokens.upperBound) tokens")
    }
    if let layers = try field.optional("up_projection") {
      architecture.decoder = try decoder(layers, patchSize: patchSize)
    }
    return architecture
  }

  /// Its layers from the tokens up; the last one makes the segmentation's heads.
  private static func decoder(
    _ field: JSONField, patchSize: [Int]
  ) throws(SWTError) -> NetworkArchitecture.Decoder {
    var layers: [(features: Int, upsampling: [Int])] = []
    for layer in try field.elements(1...Bounds.levels.upperBound) {
      layers.append(
        (
          try layer["features"].integer(NetworkArchitecture.Bounds.segmentationHeads),
          try layer["upsampling"].integers(1...2, count: 3...3)
        ))
    }
    let total = (0..<3).map { axis in layers.reduce(1) { $0 * $1.upsampling[axis] } }
    guard total == patchSize else {
      throw field.problem("upsamples by \(total), not by patch_embed_size \(patchSize)")
    }
    return NetworkArchitecture.Decoder(upProjection: layers)
  }

  /// Why a width of tokens cannot be divided among the heads; `nil` where it can.
  package func headProblem(features: Int) -> String? {
    // Rotary embedding turns pairs, as many for each of three axes.
    let unit = hasRotary ? 6 : 2
    guard features % (heads * unit) != 0 else { return nil }
    return
      "is \(heads), but \(features) features cannot be divided into heads of a multiple of \(unit)"
  }
}
