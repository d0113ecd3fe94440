// SPDX-License-Identifier: Apache-2.0
/// Attention of tokens to each other.
struct AttentionLayer: Instruction {
  let name: String
  let attention: Attention
  let queries: TokenSequence
  let keys: TokenSequence
  let values: TokenSequence
  /// Keys and values as attention reads them.
  let packed: Buffer
  /// May be the queries.
  let output: TokenSequence

  var algorithm: String { attention.bf16 == nil ? "attention" : "attention bf16" }
  var workspaceCount: Int { attention.workspaceCount }
  var buffers: [Buffer] {
    [queries.buffer, keys.buffer, values.buffer, packed, output.buffer]
  }

  /// Of scores and weighted values.
  var flops: Double {
    4 * Double(queries.count) * Double(queries.count) * Double(queries.width)
  }

  func run(_ context: RunContext) {
    let memory = context.memory
    attention.run(
      queries: queries.rows(in: memory), keys: keys.rows(in: memory),
      values: values.rows(in: memory),
      into: output.rows(in: memory), packed: memory[packed], team: context.team
    ) { context.workspace(of: $0) }
  }
}
