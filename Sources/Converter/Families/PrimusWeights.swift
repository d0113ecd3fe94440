// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat

/// What a Primus' weights tell of it. They do not tell the number of heads, whether there is rotary
/// embedding, the grid's sides, and the order of the tokens.
struct PrimusWeights {
  let width: Int
  let depth: Int
  let hiddenFeatures: Int
  let patchSize: [Int]
  let registers: Int
  /// Rows of the learned position embedding, registers included; `nil` where there is none.
  let positions: Int?
  let hasLayerScale: Bool
  let hasInnerNorm: Bool
  /// Of V2 and V3.
  let stemChannels: Int?
  let levels: [Transformer.Level]
  let hasTokenSkips: Bool
  /// Of the decoder's layers the kernels, from the tokens up, and the features that they make; empty where
  /// there is no decoder, or none that makes patches of the tokens.
  let upProjection: [(features: Int, upsampling: [Int])]
  /// Why `upProjection` is empty: the tensor of the decoder that is missing, or whose shape does not fit.
  let upProjectionProblem: ConversionError?

  /// - Throws: `ConversionError` with the tensor that is missing, or whose shape no Primus has.
  init(_ weights: StateDict) throws {
    typealias Bounds = Transformer.Bounds
    func shape(_ name: String) -> [Int]? { weights.shape(of: "encoder.\(name)") }
    func required(_ name: String, rank: Int) throws -> [Int] {
      guard let found = shape(name) else { throw ConversionError(.missingKey("encoder.\(name)")) }
      guard found.count == rank, found.allSatisfy({ (1...1 << 20).contains($0) }) else {
        throw ConversionError(
          .tensor(
            key: "encoder.\(name)", problem: "has shape \(found), not \(rank) usual sizes"))
      }
      return found
    }
    let path = "down_projection"
    if shape("\(path).proj.weight") != nil {
      let projection = try required("\(path).proj.weight", rank: 5)
      (width, patchSize, stemChannels) = (projection[0], Array(projection[2...]), nil)
      (levels, hasTokenSkips) = ([], false)
    } else {
      width = try required("\(path).final_proj.weight", rank: 5)[0]
      stemChannels = try required("\(path).stem.blocks.0.conv1.conv.weight", rank: 5)[0]
      levels = try (0..<Bounds.levels.upperBound).lazy.prefix {
        shape("\(path).stages.\($0).blocks.0.conv1.conv.weight") != nil
      }.map { level in
        let stage = "\(path).stages.\(level).blocks"
        return Transformer.Level(
          features: try required("\(stage).0.conv1.conv.weight", rank: 5)[0],
          blocks: Bounds.levelBlocks.prefix {
            shape("\(stage).\($0 - 1).conv1.conv.weight") != nil
          }.count)
      }
      hasTokenSkips = shape("\(path).proj_to_tokens.0.weight") != nil
      patchSize = [Int](repeating: 1 << levels.count, count: 3)
    }
    depth = Bounds.depth.prefix { shape("eva.blocks.\($0 - 1).norm1.weight") != nil }.count
    hiddenFeatures = try required("eva.blocks.0.mlp.fc1_g.weight", rank: 2)[0]
    registers = shape("register_tokens") == nil ? 0 : try required("register_tokens", rank: 3)[1]
    positions = shape("eva.pos_embed") == nil ? nil : try required("eva.pos_embed", rank: 3)[1]
    hasLayerScale = shape("eva.blocks.0.gamma_1") != nil
    hasInnerNorm = shape("eva.blocks.0.attn.norm.weight") != nil
    do {
      (upProjection, upProjectionProblem) = (
        try Self.upProjection(weights, patchSize: patchSize), nil
      )
    } catch { (upProjection, upProjectionProblem) = ([], error) }
    guard Bounds.features.contains(width), Bounds.features.contains(hiddenFeatures),
      patchSize.allSatisfy(Bounds.patchSize.contains), Bounds.registers.contains(registers),
      ([stemChannels ?? 1] + levels.map(\.features)).allSatisfy(
        NetworkArchitecture.Bounds.features.contains)
    else {
      throw ConversionError(
        .unsupported(
          what: "a width of \(width) with patches of \(patchSize)",
          advice: "it is larger than any known"))
    }
  }

  /// - Throws: the first tensor with which the layers do not make patches of the tokens.
  private static func upProjection(
    _ weights: StateDict, patchSize: [Int]
  ) throws(ConversionError) -> [(features: Int, upsampling: [Int])] {
    var layers: [(features: Int, upsampling: [Int])] = []
    var missing = patchSize
    while missing.contains(where: { $0 > 1 }) {
      let path = "decoder.up_projection.decode.\(layers.count)"
      // The last layer has neither norm nor GELU.
      let inner = "\(path).0.weight"
      let last = "\(path).weight"
      let name = weights.shape(of: inner) == nil && missing.allSatisfy { $0 <= 2 } ? last : inner
      guard let shape = weights.shape(of: name) else { throw ConversionError(.missingKey(name)) }
      guard shape.count == 5, NetworkArchitecture.Bounds.features.contains(shape[1]),
        layers.count < Transformer.Bounds.levels.upperBound, shape[2...].contains(2),
        zip(shape[2...], missing).allSatisfy({ $0 == 1 || $0 == 2 && $1 % 2 == 0 })
      else {
        throw ConversionError(
          .tensor(
            key: name,
            problem: "has shape \(shape), which makes no patches of \(patchSize) of the tokens"))
      }
      layers.append((shape[1], Array(shape[2...])))
      missing = zip(missing, shape[2...]).map { $0 / $1 }
    }
    return layers
  }

  /// As the classes are called: 1, 2 or 3; `nil` where 2 and 3 look alike.
  var version: Int? {
    guard stemChannels != nil else { return 1 }
    if hasTokenSkips { return 3 }
    let known = [32, 64, 128].map { Transformer.Level(features: $0, blocks: 1) }
    return stemChannels == 32 && levels == known ? 2 : nil
  }
}
