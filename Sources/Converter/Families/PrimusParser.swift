// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat

/// Reads a Primus' architecture: what its weights tell from them, the rest from names and plans, or from the
/// user.
///
/// Source: dynamic_network_architectures `Primus`, `PrimusV2`, `PrimusV3`; nnssl `EvaMAE`.
struct PrimusParser {
  let configuration: JSONField
  let weights: PrimusWeights
  let identity: PrimusIdentity
  let options: ConversionOptions
  let inputChannels: Int
  let segmentationHeads: Int
  let warn: (String) -> Void

  func parse() throws -> NetworkArchitecture {
    try checkSize()
    try checkKeywords()
    let isRotary = try keyword("use_rot_pos_emb")?.bool() ?? true
    var transformer = Transformer(
      inputSize: try inputSize(), heads: try heads(), hiddenFeatures: weights.hiddenFeatures,
      registers: weights.registers, hasRotary: isRotary,
      hasPositionEmbedding: weights.positions != nil, hasLayerScale: weights.hasLayerScale,
      hasInnerNorm: weights.hasInnerNorm, tokenOrder: tokenOrder(), levels: weights.levels,
      hasTokenSkips: weights.hasTokenSkips)
    if let problem = transformer.headProblem(features: weights.width) {
      throw ConversionError(
        .options(
          problem: "the number of heads \(problem)", advice: "give \(.heads)"))
    }
    if weights.stemChannels == nil { transformer.hasTokenSkips = false }
    var architecture = NetworkArchitecture(
      inputChannels: inputChannels, features: weights.width, patchSize: weights.patchSize,
      depth: weights.depth, stemChannels: weights.stemChannels, nonlinearity: try nonlinearity(),
      transformer: transformer)
    // What pre-training reconstructed with segments nothing.
    if !identity.isPretrained, !weights.upProjection.isEmpty {
      var layers = weights.upProjection
      layers[layers.count - 1].features = segmentationHeads
      architecture.decoder = NetworkArchitecture.Decoder(upProjection: layers)
    }
    return architecture
  }

  // MARK: - What names and plans say

  /// The first of the constructor's words that is there.
  private func keyword(_ names: String...) throws -> JSONField? {
    guard let keywords = identity.keywords else { return nil }
    for name in names {
      if let field = try keywords.optional(name) { return field }
    }
    return nil
  }

  /// A published size's name stands for width and depth.
  private func checkSize() throws {
    if let size = identity.size, identity.keywords == nil,
      (weights.width, weights.depth) != (size.width, size.depth)
    {
      throw ConversionError(
        .options(
          problem:
            "the weights have a width of \(weights.width) and \(weights.depth) blocks, where "
            + "\(identity.className) has \(size.width) and \(size.depth)",
          advice: "check that plans, trainer and checkpoint belong together"))
    }
    guard let named = identity.version else { return }
    // V3 adds tokens of earlier levels, which V2 has no weights for.
    let hasTokenSkips = try named == 3 && (keyword("add_skips")?.bool() ?? true)
    let found = weights.stemChannels == nil ? "V1" : weights.hasTokenSkips ? "V3" : "V2"
    let fits =
      named == 1
      ? weights.stemChannels == nil
      : weights.stemChannels != nil && hasTokenSkips == weights.hasTokenSkips
    guard !fits else { return }
    throw ConversionError(
      .options(
        problem: "the weights have a tokenizer of \(found)",
        advice: "check that plans, trainer and checkpoint belong together"))
  }

  /// Words of the constructors that change nothing, or that the weights show.
  private static let harmlessWords: Set<String> = [
    "input_channels", "output_channels", "num_classes", "input_shape", "patch_drop_rate",
    "drop_path_rate", "proj_drop_rate", "attn_drop_rate", "init_values", "scale_attn_inner",
    "decoder_norm", "decoder_act", "decoder_eva_depth", "decoder_eva_numheads", "depth_per_level",
    "ch_per_level", "add_skips", "nonlin", "use_rot_pos_emb", "use_abs_pos_embed",
    "use_abs_pos_emb", "deep_supervision", "eva_numheads", "encoder_eva_numheads",
  ]

  private func checkKeywords() throws {
    guard let keywords = identity.keywords else { return }
    guard let members = keywords.value.object?.members else {
      throw keywords.problem("is no object")
    }
    let hasPositions = try keyword("use_abs_pos_embed", "use_abs_pos_emb")?.bool() ?? true
    guard hasPositions == (weights.positions != nil) else {
      let found = hasPositions ? "no eva.pos_embed" : "an eva.pos_embed"
      throw keywords.problem("has use_abs_pos_embed \(hasPositions), but the weights have \(found)")
    }
    for member in members where !Self.harmlessWords.contains(member.key) && !member.value.isNull {
      let field = try keywords[member.key]
      switch member.key {
      case "embed_dim": try require(field, weights.width)
      case "eva_depth", "encoder_eva_depth": try require(field, weights.depth)
      case "num_register_tokens": try require(field, weights.registers)
      case "patch_embed_size":
        let size =
          try field.value.integer.map { [$0, $0, $0] } ?? field.integers(1...4096, count: 3...3)
        guard size == weights.patchSize else {
          throw field.problem("is \(size), but the weights have \(weights.patchSize)")
        }
      case "mlp_ratio":
        let ratio = try field.number()
        guard abs(ratio * Double(weights.width) - Double(weights.hiddenFeatures)) < 1.5 else {
          throw field.problem(
            "is \(ratio), but the weights have \(weights.hiddenFeatures) features")
        }
      case "rope_kwargs" where field.value.object?.members.isEmpty == true: break
      case "rope_impl" where field.value.string?.hasSuffix("RotaryEmbeddingCat") == true: break
      default:
        throw ConversionError(
          .unsupported(
            what: "\(field.path) = \(member.value.lineText)",
            advice: "it changes the network in a way that is not known here"))
      }
    }
  }

  private func require(_ field: JSONField, _ found: Int) throws {
    let value = try field.integer(0...1 << 20)
    guard value == found else { throw field.problem("is \(value), but the weights have \(found)") }
  }

  private func heads() throws -> Int {
    let known: Int? =
      if let field = try keyword("eva_numheads", "encoder_eva_numheads") {
        try field.integer(Transformer.Bounds.heads)
      } else if let size = identity.size {
        size.heads
      } else if identity.keywords != nil, identity.className != "PrimusX" {
        // The constructor's default.
        16
      } else {
        PrimusIdentity.size(of: weights)?.heads
      }
    if let known, let given = options.heads, given != known {
      throw ConversionError(
        .options(
          problem: "\(given) heads are given, but it has \(known)", advice: "leave out \(.heads)"))
    }
    guard let heads = known ?? options.heads, Transformer.Bounds.heads.contains(heads) else {
      throw ConversionError(
        .options(
          problem:
            "nothing says how many heads it has (width \(weights.width), \(weights.depth) blocks)",
          advice: "give \(.heads)"))
    }
    return heads
  }

  private func nonlinearity() throws -> NetworkArchitecture.Nonlinearity {
    typealias Nonlinearity = NetworkArchitecture.Nonlinearity
    let leaky = Nonlinearity(kind: .leakyReLU, negativeSlope: 0.01)
    guard weights.stemChannels != nil else { return leaky }
    if let field = try keyword("nonlin") {
      switch try field.name().split(separator: ".").last {
      case "ReLU": return Nonlinearity(kind: .reLU, negativeSlope: 0)
      case "LeakyReLU": return leaky
      default:
        throw ConversionError(
          .unsupported(
            what: "\(field.path) = \(try field.name())",
            advice: "LeakyReLU and ReLU can be converted"
          ))
      }
    }
    switch identity.version ?? weights.version {
    case 2: return Nonlinearity(kind: .reLU, negativeSlope: 0)
    case 3: return leaky
    default:
      throw ConversionError(
        .options(
          problem: "nothing says whether its tokenizer is V2's (ReLU) or V3's (LeakyReLU)",
          advice: "give \(.plansPath) with its network_class_name"))
    }
  }

  /// nnssl trains in another order than nnU-Net fine-tunes in, but for SimMIM.
  private func tokenOrder() -> Transformer.TokenOrder {
    if let order = options.tokenOrder { return order }
    if identity.isPretrained, !identity.isSimMIM {
      warn(
        "nnssl trains with tokens in (h w d) order, nnU-Net and this model take (w h d), which gives other "
          + "features; --token-order hwd converts for the order of its training")
    }
    return .whd
  }

  // MARK: - The input's size

  private func inputSize() throws -> [Int] {
    if let size = options.inputSize {
      guard let problem = problem(ofSize: size) else { return size }
      throw ConversionError(.options(problem: problem, advice: "give another \(.inputSize)"))
    }
    let candidates = try self.candidates()
    if let size = candidates.first(where: { problem(ofSize: $0) == nil }) { return size }
    throw ConversionError(
      .options(
        problem: problem(ofSize: candidates[0]) ?? "",
        advice: "give the plans that it was trained with"))
  }

  /// The sizes that the checkpoint speaks of, the likeliest first.
  private func candidates() throws -> [[Int]] {
    func size(_ field: JSONField?) throws -> [Int]? {
      try field?.integers(Transformer.Bounds.inputSize, count: 3...3)
    }
    let patchSize = try size(configuration["patch_size"])
    if let side = identity.trainerPatchSide { return [[side, side, side]] }
    guard !identity.isPretrained else {
      return try [
        size(configuration.optional("pretrain_patch_size")), patchSize,
        size(configuration.optional("recommended_downstream_patchsize")),
      ].compactMap { $0 }
    }
    // Fine-tuned models keep the words of their pre-training, of which the size is not theirs.
    if try keyword("encoder_eva_depth", "encoder_eva_numheads") == nil,
      let field = try keyword("input_shape"), let shape = try size(field), shape != patchSize
    {
      throw field.problem("is \(shape), but the patch_size is \(patchSize ?? [])")
    }
    return [patchSize].compactMap { $0 }
  }

  private func problem(ofSize size: [Int]) -> String? {
    guard size.count == 3, zip(size, weights.patchSize).allSatisfy({ $0 > 0 && $0 % $1 == 0 })
    else {
      return "an input of \(size) cannot be cut into patches of \(weights.patchSize)"
    }
    let tokens = zip(size, weights.patchSize).reduce(1) { $0 * ($1.0 / $1.1) }
    guard Transformer.Bounds.tokens.contains(tokens) else {
      return "an input of \(size) makes \(tokens) tokens, more than can be run"
    }
    let registers = weights.registers
    guard let positions = weights.positions, positions != tokens + registers else { return nil }
    let made = registers == 0 ? "" : " beside \(registers) registers"
    return
      "an input of \(size) makes \(tokens) tokens\(made), but the weights have positions for \(positions)"
  }
}
