// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import PickleReader
internal import SWTFormat

/// A learned position embedding for another grid, as nnU-Net's fine-tuning makes it: trilinear, by the
/// positions of the patches' centres, registers as they are.
///
/// Source: nnunetv2 `nnUNetTrainer/pretraining` (`interpolate`, mode `trilinear`, `align_corners=False`), on
/// the grid in network order whatever the order of the tokens.
struct PositionEmbedding {
  /// `[token][width]`, the grid's last axis fastest.
  private var values: [Float]
  private var grid: [Int]
  private let width: Int

  private init(_ values: [Float], grid: [Int], width: Int) {
    self.values = values
    self.grid = grid
    self.width = width
  }

  /// Puts the embedding for `size` in place of the one in a checkpoint that was trained for another.
  ///
  /// - Throws: `ConversionError` where the network has no fixed size.
  static func resample(_ checkpoint: inout Checkpoint, options: ConversionOptions) throws {
    guard let size = options.inputSize else { return }
    guard checkpoint.weights.naming == .primus else {
      throw ConversionError.named(
        ConversionError(
          .options(
            problem: "the network takes inputs of many sizes", advice: "leave out \(.inputSize)")),
        network: checkpoint.networkName)
    }
    var trained = options
    trained.inputSize = nil
    let architecture = try PlannedNetwork(checkpoint, options: trained, warn: { _ in }).architecture
    let name = "encoder.eva.pos_embed"
    guard let transformer = architecture.transformer, let tensor = checkpoint.weights[name] else {
      return
    }
    let patchSize = architecture.totalStride
    func refusal(_ problem: String) -> ConversionError {
      ConversionError(
        .network(
          checkpoint.networkName ?? "",
          ConversionError(.options(problem: problem, advice: "give another \(.inputSize)"))))
    }
    let isCut = zip(size, patchSize).allSatisfy {
      Transformer.Bounds.inputSize.contains($0) && $0 % $1 == 0
    }
    guard isCut else {
      throw refusal("an input of \(size) cannot be cut into patches of \(patchSize)")
    }
    let grid = zip(size, patchSize).map { $0 / $1 }
    let width = architecture.stages[0].features
    let tokens = grid.reduce(1, *)
    // The values before and after an axis, the whole, and its bytes.
    guard Transformer.Bounds.tokens.contains(tokens),
      Allocation.isPossible(4 * tokens * width * MemoryLayout<Float>.stride)
    else { throw refusal("an input of \(size) makes too many tokens, \(tokens)") }
    let (rows, registers) = (architecture.grid.reduce(1, *), transformer.registers)
    guard grid != architecture.grid, tensor.shape == [1, registers + rows, width] else { return }
    let values = try tensor.values()
    var embedding = PositionEmbedding(
      Array(values[(registers * width)...]), grid: architecture.grid, width: width)
    for axis in 0..<3 { embedding.resample(axis: axis, to: grid[axis]) }
    let resampled = values[..<(registers * width)] + embedding.values
    checkpoint.weights.replace(
      name,
      with: try TensorView(
        shape: [1, registers + grid.reduce(1, *), width], elementType: .float32, key: name,
        bytes: Array(resampled).withUnsafeBytes { Bytes(Array($0)) }))
  }

  private mutating func resample(axis: Int, to size: Int) {
    let old = grid[axis]
    guard old != size else { return }
    let outer = grid[..<axis].reduce(1, *)
    let inner = grid[(axis + 1)...].reduce(width, *)
    var result = [Float](repeating: 0, count: outer * size * inner)
    for index in 0..<size {
      let place = (Double(index) + 0.5) * Double(old) / Double(size) - 0.5
      let position = min(max(place, 0), Double(old - 1))
      let (low, high) = (Int(position), min(Int(position) + 1, old - 1))
      let weight = Float(position - Double(low))
      for part in 0..<outer {
        let target = (part * size + index) * inner
        let (first, second) = ((part * old + low) * inner, (part * old + high) * inner)
        for offset in 0..<inner {
          result[target + offset] =
            values[first + offset] * (1 - weight) + values[second + offset] * weight
        }
      }
    }
    grid[axis] = size
    values = result
  }
}
