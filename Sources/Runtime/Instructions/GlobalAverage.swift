// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// `AdaptiveAvgPool(1)` and `Flatten`: the mean of every channel of a map.
struct GlobalAverage: Instruction {
  let name: String
  let source: Feature
  let output: Buffer
  let kernels: Kernels

  var algorithm: String { "mean" }
  var buffers: [Buffer] { source.buffers + [output] }
  /// One double per channel.
  var workspaceCount: Int { 2 * TensorLayout.blockWidth }

  func run(_ context: RunContext) {
    let block = TensorLayout.blockWidth
    let activation = source.activation
    let values = context.memory[activation]
    let target = context.memory[output]
    context.team.forEach(activation.blocks) { channelBlock, worker in
      // Workers' scratch starts on 256-byte boundaries.
      let sums = UnsafeMutableRawPointer(context.workspace(of: worker))
        .assumingMemoryBound(to: Double.self)
      kernels.pointee.activated_sum(
        values + channelBlock * activation.blockStep,
        source.pending.kernel(block: channelBlock, in: context.memory), activation.extent.count,
        sums
      )
      for lane in 0..<min(block, activation.channels - channelBlock * block) {
        target[channelBlock * block + lane] = Float(sums[lane] / Double(activation.extent.count))
      }
    }
  }
}
