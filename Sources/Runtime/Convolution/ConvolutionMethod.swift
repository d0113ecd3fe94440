// SPDX-License-Identifier: Apache-2.0
/// A way to compute a convolution.
enum ConvolutionMethod: Sendable, Equatable {
  /// As it is defined.
  case direct
  /// The same with products of bf16 numbers.
  case directBf16
  /// Winograd's algorithm along rows, of the network's input.
  case rows
  /// Winograd's algorithm, tile by tile.
  case fused(WinogradTileSizes)
  /// Winograd's algorithm, step by step.
  case staged(WinogradTileSizes)

  /// For people.
  var name: String {
    switch self {
    case .direct: "direct"
    case .directBf16: "direct bf16"
    case .rows: "winograd 1·1·F(4,3)"
    case .fused(let tileSizes): tileSizes.name
    case .staged(let tileSizes): "\(tileSizes.name), staged"
    }
  }

  /// The convolution by this method, with its own memory reserved.
  ///
  /// - Parameter weights: in whatever order of input channels; they are grouped as the operands need.
  func instruction(
    _ operands: ConvolutionOperands, weights: PackedWeights, target: Target,
    buffers: inout Buffers
  ) throws(RuntimeError) -> any ConvolutionInstruction {
    let weights = try weights.grouped(operands.geometry.inputs)
    var instruction: any ConvolutionInstruction
    switch self {
    case .direct:
      instruction = DirectConvolution(operands, weights: weights, target: target)
    case .directBf16:
      instruction = try DirectConvolution(bf16: operands, weights: weights, target: target)
    case .rows:
      instruction = try WinogradRowConvolution(operands, weights: weights, target: target)
    case .fused(let tileSizes):
      instruction = try WinogradConvolution(
        operands, tileSizes: tileSizes, weights: weights, target: target)
    case .staged(let tileSizes):
      instruction = StagedWinogradConvolution(
        operands, tileSizes: tileSizes, weights: weights, target: target)
    }
    if instruction.scratchCount > 0 {
      instruction.operands.scratch = buffers.reserve(instruction.scratchCount)
    }
    return instruction
  }
}
