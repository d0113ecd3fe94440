// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Back through `AvgPool` with kernel = stride: an equal part for every voxel of a window.
struct AveragePoolGradient: Instruction {
  let name: String
  /// Of the pooled map.
  let gradient: Activation
  /// Of what was pooled.
  let output: Activation
  let window: Extent3
  let accumulates: Bool
  let kernels: Kernels

  var algorithm: String { "average pool backward" }
  var buffers: [Buffer] { [gradient.buffer, output.buffer] }

  func run(_ context: RunContext) {
    let block = TensorLayout.blockWidth
    let (pooled, whole) = (gradient.extent, output.extent)
    let source = context.memory[gradient]
    let target = context.memory[output]
    // Voxels beyond the last whole window belong to none.
    if !accumulates, pooled.combined(with: window, *) != whole {
      target.update(repeating: 0, count: output.blocks * output.blockStep)
    }
    context.team.forEach(output.blocks * pooled.z) { index, _ in
      let (channelBlock, z) = (index / pooled.z, index % pooled.z)
      for y in 0..<pooled.y {
        for row in 0..<window.z * window.y {
          let line =
            (z * window.z + row / window.y) * whole.y + y * window.y + row % window.y
          var job = nn_average_gradient(
            source: source + channelBlock * gradient.blockStep
              + (z * pooled.y + y) * pooled.x * block,
            voxels: Int32(pooled.x), width: Int32(window.x), factor: 1 / Float(window.count),
            accumulate: accumulates ? 1 : 0,
            target: target + channelBlock * output.blockStep + line * whole.x * block)
          kernels.pointee.average_gradient(&job)
        }
      }
    }
  }
}
