// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Which numbers of the pooled features a map gives: where its channels' means and maxima begin.
struct PooledPlaces: Sendable {
  var mean: Int?
  var maximum: Int?
}

/// Means and maxima of a map's channels.
struct PooledFeatures: Instruction {
  let name: String
  let source: Feature
  let places: PooledPlaces
  /// All pooled features.
  let output: Buffer
  /// The voxel of every channel's maximum, as a bit pattern.
  let maximumVoxels: Buffer
  let kernels: Kernels

  var algorithm: String { "pool" }
  var buffers: [Buffer] { source.buffers + [output, maximumVoxels] }
  /// 16 doubles, or 16 floats and as many places.
  var workspaceCount: Int { 2 * TensorLayout.blockWidth }

  func run(_ context: RunContext) {
    let block = TensorLayout.blockWidth
    let activation = source.activation
    let count = activation.extent.count
    let target = context.memory[output]
    let voxels = UnsafeMutableRawPointer(context.memory[maximumVoxels])
      .assumingMemoryBound(to: Int32.self)
    context.team.forEach(activation.blocks) { channelBlock, worker in
      let values = context.memory[activation] + channelBlock * activation.blockStep
      let pending = source.pending.kernel(block: channelBlock, in: context.memory)
      let lanes = min(block, activation.channels - channelBlock * block)
      if let mean = places.mean {
        // Workers' scratch starts on 256-byte boundaries.
        let sums = UnsafeMutableRawPointer(context.workspace(of: worker))
          .assumingMemoryBound(to: Double.self)
        kernels.pointee.activated_sum(values, pending, count, sums)
        for lane in 0..<lanes {
          target[mean + channelBlock * block + lane] = Float(sums[lane] / Double(count))
        }
      }
      if let maximum = places.maximum {
        let maxima = context.workspace(of: worker)
        kernels.pointee.activated_max(
          values, pending, count, maxima, voxels + channelBlock * block)
        (target + maximum + channelBlock * block).update(from: maxima, count: lanes)
      }
    }
  }
}

/// From the gradient of means and maxima to that of the map: a mean's part for every voxel, a maximum's for
/// the first voxel that has it.
struct PooledGradient: Instruction {
  let name: String
  let places: PooledPlaces
  /// The gradient of all pooled features.
  let source: Buffer
  let maximumVoxels: Buffer
  let output: Activation
  let accumulates: Bool
  let kernels: Kernels

  var algorithm: String { "pool backward" }
  var buffers: [Buffer] { [source, maximumVoxels, output.buffer] }
  var workspaceCount: Int { TensorLayout.blockWidth }

  func run(_ context: RunContext) {
    let block = TensorLayout.blockWidth
    let count = output.extent.count
    let gradient = context.memory[source]
    let voxels = UnsafeMutableRawPointer(context.memory[maximumVoxels])
      .assumingMemoryBound(to: Int32.self)
    context.team.forEach(output.blocks) { channelBlock, worker in
      let target = context.memory[output] + channelBlock * output.blockStep
      let lanes = min(block, output.channels - channelBlock * block)
      let shares = context.workspace(of: worker)
      shares.update(repeating: 0, count: block)
      if let mean = places.mean {
        shares.update(from: gradient + mean + channelBlock * block, count: lanes)
      }
      var job = nn_average_gradient(
        source: shares, voxels: 1, width: Int32(count), factor: 1 / Float(count),
        accumulate: accumulates ? 1 : 0, target: target)
      kernels.pointee.average_gradient(&job)
      if let maximum = places.maximum {
        for lane in 0..<lanes {
          let voxel = Int(voxels[channelBlock * block + lane])
          target[voxel * block + lane] += gradient[maximum + channelBlock * block + lane]
        }
      }
    }
  }
}
