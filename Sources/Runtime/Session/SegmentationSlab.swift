// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Some planes of a segmentation's logits; valid while it is lent.
package struct SegmentationSlab: Sendable {
  /// Of the window.
  package let planes: Range<Int>
  package let heads: Int

  /// How many heads are shown at a time.
  package static var blockWidth: Int { TensorLayout.blockWidth }

  private let activation: Activation
  private let pending: Pending
  private let memory: Memory
  private let kernels: Kernels

  init(
    planes: Range<Int>, heads: Int, activation: Activation, pending: Pending, memory: Memory,
    kernels: Kernels
  ) {
    self.planes = planes
    self.heads = heads
    self.activation = activation
    self.pending = pending
    self.memory = memory
    self.kernels = kernels
  }

  /// Numbers of a row.
  package var width: Int { activation.extent.x }

  /// Writes a row of every head of a block, one after the other.
  ///
  /// - Parameters:
  ///   - plane: one of `planes`.
  ///   - rows: has room for twice a block's rows.
  package func copyRow(
    block: Int, plane: Int, y: Int, to rows: UnsafeMutablePointer<Float>
  ) {
    let lanes = TensorLayout.blockWidth
    let line = rows + lanes * width
    let place = ((plane - planes.lowerBound) * activation.extent.y + y) * width
    kernels.pointee.activate(
      memory[activation] + block * activation.blockStep + place * lanes,
      pending.kernel(block: block, in: memory), line, width)
    for lane in 0..<min(lanes, heads - block * lanes) {
      for x in 0..<width { rows[lane * width + x] = line[x * lanes + lane] }
    }
  }
}
