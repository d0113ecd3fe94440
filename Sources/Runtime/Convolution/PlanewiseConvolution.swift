// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// A network's last convolution, computed some planes at a time after a run: its output, of which large
/// networks have a hundred channels at full resolution, is never whole in memory.
final class PlanewiseConvolution: Sendable {
  /// Writes its planes to a slab, from its beginning on.
  let convolution: DirectConvolution
  /// What readers of the slab apply: the bias.
  let pending: Pending

  init(convolution: DirectConvolution, pending: Pending) {
    self.convolution = convolution
    self.pending = pending
  }

  /// Floats that a slab takes at most, unless one plane takes more.
  private static let slabCount = 1 << 21

  /// Planes of a slab, for an output of so many channels.
  ///
  /// - Parameter step: planes that are made together: 1 but for a transposed convolution.
  static func slabPlanes(channels: Int, extent: Extent3, step: Int) -> Int {
    let plane = Activation.floatCount(
      channels: channels, extent: Extent3(z: 1, y: extent.y, x: extent.x))
    return min(extent.z, max(step, slabCount / plane / step * step))
  }

  var slab: Activation { convolution.operands.output }
  /// What it reads, which has to be there after the run.
  var inputs: [Buffer] { convolution.operands.input.features.flatMap(\.buffers) }

  /// Computes all planes, slab by slab.
  func run(
    _ context: RunContext, kernels: Kernels, _ body: (SegmentationSlab) -> Void
  ) {
    let (depth, step) = (convolution.geometry.positions.z, convolution.geometry.voxelStep.z)
    for first in stride(from: 0, to: depth, by: slab.extent.z / step) {
      let positions = first..<min(first + slab.extent.z / step, depth)
      convolution.run(planes: positions, streams: false, moments: nil, context: context)
      body(
        SegmentationSlab(
          planes: positions.lowerBound * step..<positions.upperBound * step, heads: slab.channels,
          activation: slab, pending: pending,
          memory: context.memory, kernels: kernels))
    }
  }
}
