// SPDX-License-Identifier: Apache-2.0
internal import CKernels

/// Layer norm over every token.
struct TokenNorm: Instruction {
  let name: String
  let source: TokenSequence
  let weight: Buffer
  let bias: Buffer
  let eps: Float
  /// May be the source.
  let output: TokenSequence
  let kernels: Kernels

  var algorithm: String { "layer norm" }
  var buffers: [Buffer] { [source.buffer, weight, bias, output.buffer] }

  func run(_ context: RunContext) {
    let memory = context.memory
    let norm = LayerNorm(
      kernels: kernels, width: source.width, eps: eps, weight: memory[weight], bias: memory[bias])
    norm.run(
      source.rows(in: memory), rows: source.count, into: output.rows(in: memory), team: context.team
    )
  }
}
