// SPDX-License-Identifier: Apache-2.0
internal import CKernels

/// Layer norm over the last axis of tokens.
struct LayerNorm: @unchecked Sendable {
  private static let rowsPerTask = 16

  // Invariant: the pointers are valid, and nobody writes there, as long as the value is used.
  let kernels: Kernels
  let width: Int
  let eps: Float
  /// `[width]`.
  let weight: UnsafePointer<Float>
  let bias: UnsafePointer<Float>

  /// `target` may be `source`.
  func run(_ source: TokenRows, rows: Int, into target: TokenRows, team: ThreadTeam) {
    team.forEach((rows + Self.rowsPerTask - 1) / Self.rowsPerTask) { task, _ in
      let first = task * Self.rowsPerTask
      var job = nn_layer_norm(
        source: source[first], source_row_step: source.step,
        rows: Int32(min(Self.rowsPerTask, rows - first)), width: Int32(width), eps: eps,
        weight: weight, bias: bias, target: target[first], target_row_step: target.step)
      kernels.pointee.layer_norm(&job)
    }
  }
}
