// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// The pieces in which a staged Winograd convolution transforms its weights: a task takes some output blocks, goes through
/// runs of slices of points, and at each through some input blocks at a time, so that a piece and the products that are
/// summed with it stay in the second-level cache.
struct StagedWeightPieces {
  private static let block = TensorLayout.blockWidth

  /// Neighbouring slices of points.
  struct Run {
    /// Of weight points.
    let slices: Range<Int>
    let firstPoint: Int
    /// Of every point its weight's, from the run's first on.
    let weightPoints: [Int32]
  }

  private let runs: [Run]
  /// The input blocks that are transformed together.
  let inputs: [Range<Int>]
  private let outputBlocks: Int
  private let blocksPerTask: Int
  /// Tasks that share output blocks: each has some of the runs.
  private let tasksPerBlocks: Int
  let tasks: Int
  /// Floats from an output block to the next at one point.
  let blockStep: Int
  /// Floats from a point to the next: one line more than it needs, since points at a power of two's distance share
  /// their cache sets.
  let pointStep: Int
  /// Floats of the largest piece.
  let count: Int

  init(
    _ tileSizes: WinogradTileSizes, tiles: Int, inputBlocks: Int, outputBlocks: Int, target: Target
  ) {
    self.outputBlocks = outputBlocks
    blocksPerTask = Int(target.kernels.pointee.direct_blocks)
    let slices = tileSizes.weightPoints.slices
    let blockGroups = (outputBlocks + blocksPerTask - 1) / blocksPerTask
    // Several tasks for a thread.
    let wanted = min(slices, (4 * target.threads + blockGroups - 1) / blockGroups)
    let products = tileSizes.points.sliceCount * tiles * blocksPerTask * Self.block
    let cache = Caches.found.secondLevel
    let slicesPerRun = min(max(1, cache / 8 * 3 / products), (slices + wanted - 1) / wanted)
    runs = Self.parts(slices, of: slicesPerRun).map { Run(slices: $0, tileSizes) }
    tasksPerBlocks = min(wanted, runs.count)
    tasks = blockGroups * tasksPerBlocks
    let points = slicesPerRun * tileSizes.weightPoints.sliceCount
    let inputFloats = points * blocksPerTask * Self.block * Self.block
    inputs = Self.parts(inputBlocks, of: max(1, cache / 2 / inputFloats))
    blockStep = (inputs.map(\.count).max() ?? 0) * Self.block * Self.block
    pointStep = blocksPerTask * blockStep + Self.block
    count = points * pointStep
  }

  /// Parts of at most `largest`, of nearly equal size.
  private static func parts(_ count: Int, of largest: Int) -> [Range<Int>] {
    let parts = (count + largest - 1) / largest
    return (0..<parts).map { $0 * count / parts..<($0 + 1) * count / parts }
  }

  /// The output blocks of a task and the runs that it goes through.
  func work(ofTask task: Int) -> (blocks: Range<Int>, runs: ArraySlice<Run>) {
    let (first, part) = (task / tasksPerBlocks * blocksPerTask, task % tasksPerBlocks)
    return (
      first..<min(first + blocksPerTask, outputBlocks),
      runs[part * runs.count / tasksPerBlocks..<(part + 1) * runs.count / tasksPerBlocks]
    )
  }
}

extension StagedWeightPieces.Run {
  fileprivate init(slices: Range<Int>, _ tileSizes: WinogradTileSizes) {
    self.slices = slices
    // The last slice of a strided axis' weights serves several slices of points.
    let end =
      slices.upperBound == tileSizes.weightPoints.slices
      ? tileSizes.points.slices : slices.upperBound
    firstPoint = slices.lowerBound * tileSizes.points.sliceCount
    let firstWeight = slices.lowerBound * tileSizes.weightPoints.sliceCount
    weightPoints = tileSizes.weightPointOfPoint[firstPoint..<end * tileSizes.points.sliceCount]
      .map { Int32($0 - firstWeight) }
  }
}
