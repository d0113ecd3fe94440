// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// From the gradient of means and maxima to that of the map: a mean's part for every voxel that it is of, a
/// maximum's for the first voxel that has it.
struct PooledGradient: Instruction {
  let name: String
  let places: PooledPlaces
  /// The gradient of all pooled features.
  let source: Buffer
  let maximumVoxels: (all: Buffer, nonzero: Buffer)
  let output: Activation
  let accumulates: Bool
  let kernels: Kernels

  var algorithm: String { "pool backward" }
  var buffers: [Buffer] {
    [source, maximumVoxels.all, maximumVoxels.nonzero, output.buffer]
  }
  var workspaceCount: Int { TensorLayout.blockWidth }

  func run(_ context: RunContext) {
    let everything = [0..<output.extent.count]
    // Zeros where nothing is pooled of all voxels: this is what writes them first.
    spread(
      places.all, over: everything, accumulates: accumulates, voxels: maximumVoxels.all, context)
    guard !places.nonzero.isEmpty else { return }
    let region = context.region?.runs(ofStage: places.stage) ?? everything
    spread(
      places.nonzero, over: region, accumulates: true, voxels: maximumVoxels.nonzero, context)
  }

  private func spread(
    _ columns: PooledPlaces.Columns, over runs: [Range<Int>], accumulates: Bool, voxels: Buffer,
    _ context: RunContext
  ) {
    let block = TensorLayout.blockWidth
    let count = runs.reduce(0) { $0 + $1.count }
    let gradient = context.memory[source]
    let places = UnsafeMutableRawPointer(context.memory[voxels]).assumingMemoryBound(to: Int32.self)
    context.team.forEach(output.blocks) { channelBlock, worker in
      let target = context.memory[output] + channelBlock * output.blockStep
      let lanes = min(block, output.channels - channelBlock * block)
      let shares = context.workspace(of: worker)
      shares.update(repeating: 0, count: block)
      if let mean = columns.mean {
        shares.update(from: gradient + mean + channelBlock * block, count: lanes)
      }
      for run in runs where columns.mean != nil || !accumulates {
        var job = nn_average_gradient(
          source: shares, voxels: 1, width: Int32(run.count), factor: 1 / Float(count),
          accumulate: accumulates ? 1 : 0, target: target + run.lowerBound * block)
        kernels.pointee.average_gradient(&job)
      }
      if let maximum = columns.maximum {
        for lane in 0..<lanes {
          let voxel = Int(places[channelBlock * block + lane])
          target[voxel * block + lane] += gradient[maximum + channelBlock * block + lane]
        }
      }
    }
  }
}
