// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Self-attention of all heads: `softmax(rotated q · rotated kᵀ / √head width) · v`.
///
/// Keys and values of every head are packed once; then blocks of queries of every head are tasks. The
/// scores are never stored (see `nn_transformer.h`).
struct Attention: Sendable {
  /// Queries of a task, some whole register tiles: they read a head's keys and values together.
  private var queriesPerTask: Int {
    let tile = Int(kernels.pointee.direct_voxels)
    return (96 + tile - 1) / tile * tile
  }

  let kernels: Kernels
  let heads: Int
  let headWidth: Int
  let tokens: Int
  /// Tokens at the start that are not rotated: registers.
  var registers = 0
  /// Of the other tokens; `nil`: nothing is rotated.
  var rotary: RotaryTable?
  /// Products of bf16 numbers; `nil` for f32.
  var bf16: nn_bf16_kernels?

  /// Numbers of a head, or of keys, that take the place of a float.
  private var numbersTogether: Int { bf16 == nil ? 1 : 2 }
  private var paddedTokens: Int {
    let together = numbersTogether * TensorLayout.blockWidth
    return (tokens + together - 1) / together * together
  }
  private var keyCount: Int { paddedTokens * headWidth / numbersTogether }
  /// Floats from the values of a token to the next one's.
  private var valueStep: Int { Int(nn_head_step(Int32(headWidth))) }
  private var valueCount: Int { paddedTokens * valueStep / numbersTogether }
  private var queryCount: Int { (queriesPerTask * headWidth + 15) / 16 * 16 }

  /// Floats for the keys and values of all heads.
  var packedCount: Int { heads * (keyCount + valueCount) }

  /// Floats that every thread works in.
  var workspaceCount: Int {
    queryCount + nn_attention_scratch(Int32(queriesPerTask), Int32(headWidth))
  }

  /// `queries`, `keys`, `values` and `target` are `[token][head][head width]`; `packed` are `packedCount`
  /// floats, `workspace(worker)` `workspaceCount` each, both at a cache line's start. `target` may be
  /// `queries`.
  func run(
    queries: TokenRows, keys: TokenRows, values: TokenRows, into target: TokenRows,
    packed: UnsafeMutablePointer<Float>, team: ThreadTeam,
    workspace: (_ worker: Int) -> UnsafeMutablePointer<Float>
  ) {
    team.forEach(heads) { head, _ in
      let place = packed + head * (keyCount + valueCount)
      forParts(of: 0..<tokens) { rows, cosines, sines in
        var job = headRows(
          keys.from(element: head * headWidth), rows, cosines, sines, factor: 1,
          into: TokenRows(start: place, step: 0))
        (bf16?.pack_keys ?? kernels.pointee.pack_keys)(&job)
      }
      var job = nn_head_values(
        source: values.start + head * headWidth, source_row_step: values.step,
        rows: Int32(tokens), head_width: Int32(headWidth), target: place + keyCount,
        target_row_step: valueStep)
      (bf16?.pack_values ?? kernels.pointee.pack_values)(&job)
    }
    let blocks = RowTasks(
      rows: tokens, tile: Int(kernels.pointee.direct_voxels),
      count: (tokens + queriesPerTask - 1) / queriesPerTask)
    let factor = nn_log2_e / Float(headWidth).squareRoot()
    // Head by head: threads read the same keys at the same time.
    team.forEach(heads * blocks.count) { task, worker in
      let (head, rows) = (task / blocks.count, blocks[task % blocks.count])
      let rotated = TokenRows(start: workspace(worker), step: headWidth)
      forParts(of: rows) { part, cosines, sines in
        var job = headRows(
          queries.from(element: head * headWidth), part, cosines, sines, factor: factor,
          into: TokenRows(start: rotated[part.lowerBound - rows.lowerBound], step: headWidth))
        kernels.pointee.rotate_queries(&job)
      }
      let place = packed + head * (keyCount + valueCount)
      var job = nn_attention(
        queries: rotated.start, query_row_step: headWidth, rows: Int32(rows.count),
        head_width: Int32(headWidth), keys: place, key_count: Int32(tokens),
        values: place + keyCount,
        scratch: rotated.start + queryCount, target: target[rows.lowerBound] + head * headWidth,
        target_row_step: target.step)
      (bf16?.attention ?? kernels.pointee.attention)(&job)
    }
  }

  private func headRows(
    _ source: TokenRows, _ rows: Range<Int>, _ cosines: UnsafePointer<Float>?,
    _ sines: UnsafePointer<Float>?, factor: Float, into target: TokenRows
  ) -> nn_head_rows {
    nn_head_rows(
      source: source[rows.lowerBound], source_row_step: source.step, rows: Int32(rows.count),
      head_width: Int32(headWidth), cosines: cosines, sines: sines, factor: factor,
      target: target.start, target_row_step: target.step, first_row: Int32(rows.lowerBound))
  }

  /// Registers, which are not rotated, then the others with the table from their first row on.
  private func forParts(
    of rows: Range<Int>,
    _ body: (Range<Int>, UnsafePointer<Float>?, UnsafePointer<Float>?) -> Void
  ) {
    guard let rotary else { return body(rows, nil, nil) }
    let plain = rows.clamped(to: 0..<registers)
    if !plain.isEmpty { body(plain, nil, nil) }
    let rest = rows.clamped(to: registers..<tokens)
    guard !rest.isEmpty else { return }
    rotary.cosines.withUnsafeBufferPointer { cosines in
      rotary.sines.withUnsafeBufferPointer { sines in
        guard let cosines = cosines.baseAddress, let sines = sines.baseAddress else { return }
        let offset = (rest.lowerBound - registers) * headWidth / 2
        body(rest, cosines + offset, sines + offset)
      }
    }
  }
}
