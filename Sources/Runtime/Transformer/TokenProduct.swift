// SPDX-License-Identifier: Apache-2.0
internal import CKernels

/// A linear layer over tokens: `activation(W · token + b) · scale · factor + addend`.
struct TokenProduct: Instruction {
  let name: String
  let weights: PackedWeights
  /// The same in bf16; `nil` for f32.
  let paired: PairedWeights?
  /// Where the weights are widened; `nil` where nothing is.
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
  let threads: Int

  var algorithm: String { paired == nil ? "matrix product" : "matrix product bf16" }
  var flops: Double { 2 * Double(output.count) * Double(source.width) * Double(output.width) }
  var weightByteCount: Int { weights.byteCount + (paired?.byteCount ?? 0) }
  var workspaceCount: Int { MatrixProduct.workspaceCount(inputs: source.width, kernels: kernels) }
  var buffers: [Buffer] {
    [source.buffer, output.buffer] + [widened, bias, scale, factor, addend].compactMap { $0 }
  }

  func prepare() {
    weights.prepare()
    paired?.prepare(widening: kernels, threads: threads)
  }

  func run(_ context: RunContext) {
    let memory = context.memory
    if let paired { return multiply(paired.pointer, context) }
    // Where there is nothing to widen, the place for it is not used.
    weights.withUnsafePointer(
      widened: memory[widened ?? output.buffer], kernels: kernels, team: context.team
    ) { multiply($0, context) }
  }

  private func multiply(_ weights: UnsafePointer<Float>, _ context: RunContext) {
    let memory = context.memory
    func rows(_ buffer: Buffer) -> TokenRows {
      TokenRows(start: memory[buffer], step: output.width)
    }
    let product = MatrixProduct(
      kernels: kernels, inputs: source.width, outputs: output.width, weights: weights,
      bf16: paired?.bf16, bias: bias.map { UnsafePointer(memory[$0]) },
      scale: scale.map { UnsafePointer(memory[$0]) }, activation: isActivated ? .silu : .none)
    product.run(
      source.rows(in: memory), rows: output.count, into: output.rows(in: memory),
      factor: factor.map(rows), addend: addend.map(rows), team: context.team
    ) { context.workspace(of: $0) }
  }
}
