// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// How a direct convolution is cut into tasks.
struct DirectBlocking: Sendable {
  /// Floats that the packed input of a task may take: it has to stay in the second-level cache.
  private static let slabLimit = 96 * 1024

  /// Whole planes, or one plane's rows.
  let planesPerTask: Int
  let rowsPerTask: Int
  /// Output blocks per task: an even number, or all.
  let blocksPerTask: Int
  /// Voxels of a task's packed input, halo included.
  let packed: Extent3
  /// Tasks along y.
  let rowTasks: Int
  /// Whether every weight is read once only: a task has all voxels, and goes through the output blocks for every
  /// input block anew.
  let readsWeightsOnce: Bool

  /// Voxels whose sums stay in the second-level cache while weights go by.
  private static let fewVoxels = 128

  /// - Parameter elementsPerVoxel: what a packed voxel takes, in floats or in pairs that take as much.
  init(_ geometry: ConvolutionGeometry, elementsPerVoxel: Int, threads: Int) {
    let (output, block) = (geometry.positions, TensorLayout.blockWidth)
    let outputBlocks = (geometry.outputChannels + block - 1) / block
    var (planes, rows, blocks) = (1, output.y, outputBlocks)
    var packed: Extent3 {
      Extent3(z: planes, y: rows, x: output.x).combined(with: geometry.stride) { ($0 - 1) * $1 }
        .combined(with: geometry.kernel, +)
    }
    var slab: Int { packed.count * elementsPerVoxel }
    func parts(_ whole: Int, _ part: Int) -> Int { (whole + part - 1) / part }
    var tasks: Int { parts(output.z, planes) * parts(output.y, rows) * parts(outputBlocks, blocks) }

    let weights = geometry.kernel.count * geometry.inputChannels * outputBlocks * block
    // With more threads there are too few blocks for all; in 2-D, of fewer taps, it was slower.
    readsWeightsOnce =
      output.count <= Self.fewVoxels && geometry.voxelStep.count == 1 && geometry.kernel.z > 1
      && weights > Self.slabLimit && outputBlocks >= 4 * threads
    if readsWeightsOnce {
      planesPerTask = output.z
      rowsPerTask = output.y
      blocks = parts(outputBlocks, threads)
      blocksPerTask = blocks + blocks % 2
      (planes, rows) = (output.z, output.y)
      self.packed = packed
      rowTasks = 1
      return
    }
    while rows > 1, slab > Self.slabLimit { rows = (rows + 1) / 2 }
    // Enough tasks for all threads to end at about the same time.
    var wanted = threads == 1 ? 1 : 8 * threads
    if weights > slab {
      // Weights are what is most to read: every task should use its own for as many voxels as it can.
      let plane = slab
      while rows == output.y, planes < output.z, slab + plane <= Self.slabLimit { planes += 1 }
      wanted = threads == 1 ? 1 : 4 * threads
      while blocks > 2, tasks < wanted { blocks = (blocks + 1) / 2 }
      while planes > 1, tasks < wanted { planes = (planes + 1) / 2 }
    }
    while rows > 2, tasks < wanted { rows = (rows + 1) / 2 }
    while blocks > 2, tasks < wanted { blocks = (blocks + 1) / 2 }
    planesPerTask = planes
    rowsPerTask = rows
    blocksPerTask = blocks + blocks % 2
    self.packed = packed
    rowTasks = parts(output.y, rows)
  }

  /// Tasks along z for so many planes.
  func planeTasks(_ planes: Int) -> Int { (planes + planesPerTask - 1) / planesPerTask }
}
