// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// `AvgPool` with kernel = stride.
struct AveragePool: Instruction {
  let name: String
  let source: Feature
  let output: Activation
  let window: Extent3
  let kernels: Kernels

  var algorithm: String { "average pool" }
  var buffers: [Buffer] { source.buffers + [output.buffer] }

  func run(_ context: RunContext) {
    let block = TensorLayout.blockWidth
    let input = source.activation
    let extent = output.extent
    let target = context.memory[output]
    let values = UnsafePointer(context.memory[input])
    context.team.forEach(output.blocks * extent.z) { index, _ in
      let (channelBlock, z) = (index / extent.z, index % extent.z)
      let first = values + channelBlock * input.blockStep
      for y in 0..<extent.y {
        let rows = (0..<window.z * window.y).map { row in
          let plane = z * window.z + row / window.y
          return first
            + (plane * input.extent.y + y * window.y + row % window.y) * input.extent.x * block
        }
        rows.withUnsafeBufferPointer { rows in
          guard let start = rows.baseAddress else { return }
          var job = nn_average(
            row: start, rows: Int32(rows.count), width: Int32(window.x), voxels: Int32(extent.x),
            pending: source.pending.kernel(block: channelBlock, in: context.memory),
            factor: 1 / Float(window.count),
            target: target + channelBlock * output.blockStep
              + (z * extent.y + y) * extent.x * block)
          kernels.pointee.average(&job)
        }
      }
    }
  }
}
