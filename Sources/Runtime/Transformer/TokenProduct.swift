// SPDX-License-Identifier: Apache-2.0
internal import CKernels

/// A linear layer over tokens: `activation(W · token + b) · scale · factor + addend`.
struct TokenProduct: Instruction {
  let name: String
  let weights: PackedWeights
  /// Where the weights are widened; `nil` for `f32`.
  let widened: Buffer?
  let bias: Buffer?
  let scale: Buffer?
  /// Whether SiLU follows.
  let isActivated: Bool
  let source: TokenSequence
  /// As many numbers as the output; `nil` for none. The output may be one of them.
  let factor: Buffer?
  let addend: Buffer?
  let output: TokenSequence
  let kernels: Kernels

  var algorithm: String { "matrix product" }
  var flops: Double { 2 * Double(output.count) * Double(source.width) * Double(output.width) }
  var weightByteCount: Int { weights.byteCount }
  var buffers: [Buffer] {
    [source.buffer, output.buffer] + [widened, bias, scale, factor, addend].compactMap { $0 }
  }

  func prepare() { weights.prepare() }

  func run(_ context: RunContext) {
    let memory = context.memory
    func rows(_ buffer: Buffer) -> TokenRows {
      TokenRows(start: memory[buffer], step: output.width)
    }
    // Where there is nothing to widen, the place for it is not used.
    weights.withUnsafePointer(
      widened: memory[widened ?? output.buffer], kernels: kernels, team: context.team
    ) { weights in
      let product = MatrixProduct(
        kernels: kernels, inputs: source.width, outputs: output.width, weights: weights,
        bias: bias.map { UnsafePointer(memory[$0]) },
        scale: scale.map { UnsafePointer(memory[$0]) },
        activation: isActivated ? .silu : .none)
      product.run(
        source.rows(in: memory), rows: output.count, into: output.rows(in: memory),
        factor: factor.map(rows), addend: addend.map(rows), team: context.team)
    }
  }
}
