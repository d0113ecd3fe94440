// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Writes a map as the caller wants it: `[channels][z][y][x]`.
struct Unblock: Instruction {
  let name: String
  let source: Feature
  let output: Buffer
  let kernels: Kernels

  var algorithm: String { "unblock" }
  var buffers: [Buffer] { source.buffers + [output] }
  private static let chunkVoxels = 256
  var workspaceCount: Int { Self.chunkVoxels * TensorLayout.blockWidth }

  func run(_ context: RunContext) {
    let block = TensorLayout.blockWidth
    let activation = source.activation
    let voxels = activation.extent.count
    let chunks = (voxels + Self.chunkVoxels - 1) / Self.chunkVoxels
    let values = context.memory[activation]
    let target = context.memory[output]
    context.team.forEach(activation.blocks * chunks) { index, worker in
      let (channelBlock, chunk) = (index / chunks, index % chunks)
      let start = chunk * Self.chunkVoxels
      let count = min(Self.chunkVoxels, voxels - start)
      let row = context.workspace(of: worker)
      kernels.pointee.activate(
        values + channelBlock * activation.blockStep + start * block,
        source.pending.kernel(block: channelBlock, in: context.memory), row, count)
      for lane in 0..<min(block, activation.channels - channelBlock * block) {
        let plane = target + (channelBlock * block + lane) * voxels + start
        for voxel in 0..<count { plane[voxel] = row[voxel * block + lane] }
      }
    }
  }
}
