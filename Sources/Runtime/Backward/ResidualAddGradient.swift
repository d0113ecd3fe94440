// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Back through `nonlinearity(branch + skip)`: the sum's gradient is that of both. The branch's takes the
/// place of the output's.
struct ResidualAddGradient: Instruction {
  let name: String
  let output: Activation
  let slope: Float
  /// Of the output, and then of the branch.
  let gradient: Activation
  /// Of the skip, where that is wanted.
  let skip: Activation?
  let accumulates: Bool
  /// Scale 1 and shift 0.
  let identity: Pending
  let kernels: Kernels

  private static let chunkVoxels = 4_096

  var algorithm: String { "add backward" }
  var buffers: [Buffer] {
    [output.buffer, gradient.buffer, identity.scale, identity.shift]
      + (skip.map { [$0.buffer] } ?? [])
  }

  func run(_ context: RunContext) {
    let block = TensorLayout.blockWidth
    let memory = context.memory
    let count = output.extent.count
    let chunks = (count + Self.chunkVoxels - 1) / Self.chunkVoxels
    context.team.forEach(output.blocks * chunks) { index, _ in
      let (channels, start) = (index / chunks, index % chunks * Self.chunkVoxels)
      let voxels = min(Self.chunkVoxels, count - start)
      let own = memory[gradient] + channels * gradient.blockStep + start * block
      kernels.pointee.activation_gradient(
        memory[output] + channels * output.blockStep + start * block, own, slope, own, voxels)
      guard let skip else { return }
      let target = memory[skip] + channels * skip.blockStep + start * block
      guard accumulates else { return target.update(from: own, count: voxels * block) }
      let identity = identity.kernel(block: channels, in: memory)
      kernels.pointee.add(own, identity, target, identity, target, voxels, 0)
    }
  }
}
