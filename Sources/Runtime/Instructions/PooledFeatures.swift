// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Means and maxima of a map's channels, over all voxels and over those of a region.
struct PooledFeatures: Instruction {
  let name: String
  let source: Feature
  let places: PooledPlaces
  /// All pooled features.
  let output: Buffer
  /// The voxel of every channel's maximum, as a bit pattern: over all voxels, and over the region's.
  let maximumVoxels: (all: Buffer, nonzero: Buffer)
  let kernels: Kernels

  var algorithm: String { "pool" }
  var buffers: [Buffer] { source.buffers + [output, maximumVoxels.all, maximumVoxels.nonzero] }
  /// 16 doubles of a run and 16 of all; or 16 floats of a run, 16 of all, and 16 places.
  var workspaceCount: Int { 4 * TensorLayout.blockWidth }

  /// Numbers that the places of maxima take.
  static func voxelCount(_ source: Feature) -> Int {
    source.activation.blocks * TensorLayout.blockWidth
  }

  func run(_ context: RunContext) {
    let everything = [0..<source.activation.extent.count]
    pool(places.all, over: everything, voxels: maximumVoxels.all, context)
    guard !places.nonzero.isEmpty else { return }
    let region = context.region?.runs(ofStage: places.stage) ?? everything
    pool(places.nonzero, over: region, voxels: maximumVoxels.nonzero, context)
  }

  private func pool(
    _ columns: PooledPlaces.Columns, over runs: [Range<Int>], voxels: Buffer, _ context: RunContext
  ) {
    let block = TensorLayout.blockWidth
    let activation = source.activation
    let count = runs.reduce(0) { $0 + $1.count }
    let target = context.memory[output]
    let places = UnsafeMutableRawPointer(context.memory[voxels]).assumingMemoryBound(to: Int32.self)
    context.team.forEach(activation.blocks) { channelBlock, worker in
      let values = context.memory[activation] + channelBlock * activation.blockStep
      let pending = source.pending.kernel(block: channelBlock, in: context.memory)
      let lanes = min(block, activation.channels - channelBlock * block)
      let workspace = context.workspace(of: worker)
      if let mean = columns.mean {
        // Workers' scratch starts on 256-byte boundaries.
        let sums = UnsafeMutableRawPointer(workspace).assumingMemoryBound(to: Double.self)
        let totals = sums + block
        totals.update(repeating: 0, count: block)
        for run in runs {
          kernels.pointee.activated_sum(values + run.lowerBound * block, pending, run.count, sums)
          for lane in 0..<block { totals[lane] += sums[lane] }
        }
        for lane in 0..<lanes {
          target[mean + channelBlock * block + lane] = Float(totals[lane] / Double(count))
        }
      }
      if let maximum = columns.maximum {
        let best = workspace + block
        let own = UnsafeMutableRawPointer(workspace + 2 * block)
          .assumingMemoryBound(to: Int32.self)
        let found = places + channelBlock * block
        for (number, run) in runs.enumerated() {
          kernels.pointee.activated_max(
            values + run.lowerBound * block, pending, run.count, workspace, own)
          for lane in 0..<block where number == 0 || workspace[lane] > best[lane] {
            best[lane] = workspace[lane]
            found[lane] = own[lane] + Int32(run.lowerBound)
          }
        }
        (target + maximum + channelBlock * block).update(from: best, count: lanes)
      }
    }
  }
}
