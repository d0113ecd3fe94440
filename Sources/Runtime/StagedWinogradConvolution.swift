internal import CKernels

/// Winograd convolution with the weights transformed where they are used: all tiles are transformed,
/// then each task transforms one plane of points of some output channels' weights into its cache and
/// multiplies all tiles by it, then all tiles are transformed back. A transformed weight is never
/// written to memory: for layers with few tiles and many channels.
struct StagedWinogradConvolution: ConvolutionAlgorithm {
  private static let block = Int(NN_BLOCK)
  /// Floats that the tiles of a batch may take between their transforms.
  static var batchFloats: Int { Caches.found.thirdLevel / 4 * 3 }
  /// Output blocks per task: the fewer, the more often tiles are read; the more, the larger a task's
  /// weights.
  private static let blocksPerTask = 2
  /// Tiles that are transformed in one go.
  private static let tilesPerRun = 8

  private let tiling: WinogradTiling
  private let weights: WinogradWeights
  private let batchFloats: Int
  private let tilesPerBatch: Int
  /// Of every point of a plane its weight's, within the plane.
  private let weightPoints: [Int32]

  var name: String { "\(tiling.mix.name), staged" }

  init(
    _ geometry: ConvolutionGeometry, mix: WinogradMix, weights: PackedWeights,
    instructionSet: InstructionSet, batchFloats: Int = StagedWinogradConvolution.batchFloats
  ) {
    let kernels = UnsafePointerBox(instructionSet.kernels)
    self.init(
      WinogradTiling(geometry, mix: mix, kernels: kernels),
      weights: WinogradWeights(weights, mix: mix, kernels: kernels), batchFloats: batchFloats)
  }

  private init(_ tiling: WinogradTiling, weights: WinogradWeights, batchFloats: Int) {
    self.tiling = tiling
    self.weights = weights
    self.batchFloats = batchFloats
    tilesPerBatch = Self.tilesPerBatch(tiling, batchFloats)
    let plane = tiling.mix.points.y * tiling.mix.points.x
    weightPoints = tiling.mix.weightPointOfPoint.prefix(plane).map(Int32.init)
  }

  /// How often the weights are transformed for a layer.
  static func batches(_ tiling: WinogradTiling) -> Int {
    let tiles = tilesPerBatch(tiling, batchFloats)
    return (tiling.tiles.count + tiles - 1) / tiles
  }

  private static func tilesPerBatch(_ tiling: WinogradTiling, _ batchFloats: Int) -> Int {
    let tiles = tiling.tiles.count
    let fitting = max(
      tilesPerRun, batchFloats / (tiling.tileStep * (tiling.inputBlocks + tiling.outputBlocks)))
    let batches = (tiles + fitting - 1) / fitting
    // Batches of nearly equal size.
    return (tiles + batches - 1) / batches
  }

  func resized(to input: Extent3) -> any ConvolutionAlgorithm {
    StagedWinogradConvolution(
      tiling.resized(to: input), weights: weights, batchFloats: batchFloats)
  }

  /// From a channel block's tiles to the next one's.
  private var blockStep: Int { tilesPerBatch * tiling.tileStep }

  var scratchCount: Int { (tiling.inputBlocks + tiling.outputBlocks) * blockStep }

  /// One plane of points of a task's weights.
  var workspaceCount: Int {
    weights.pointsPerPlane * weights.pointStep(blocks: Self.blocksPerTask)
  }

  func run(_ source: ConvolutionSource, into output: Activation, context: RunContext) {
    guard case .feature(let feature) = source else {
      preconditionFailure("AlgorithmChoice gives the network's input to DirectConvolution")
    }
    let transformed = context.arena[context.scratch]
    let products = transformed + tiling.inputBlocks * blockStep
    let planes = tiling.mix.weightPoints.z
    let groups = (tiling.outputBlocks + Self.blocksPerTask - 1) / Self.blocksPerTask
    for first in stride(from: 0, to: tiling.tiles.count, by: tilesPerBatch) {
      let batch = first..<min(first + tilesPerBatch, tiling.tiles.count)
      forEachRun(of: batch, blocks: tiling.inputBlocks, context) { block, tiles in
        tiling.transformInput(
          feature, block: block, tiles: tiles,
          into: transformed + block * blockStep + (tiles.lowerBound - first) * tiling.tileStep,
          context: context)
      }
      // Plane by plane: tasks that run at the same time read the same tiles.
      context.team.forEach(planes * groups) { task, worker in
        let firstBlock = task % groups * Self.blocksPerTask
        multiply(
          transformed, batch.count, plane: task / groups,
          blocks: firstBlock..<min(firstBlock + Self.blocksPerTask, tiling.outputBlocks),
          into: products, workspace: context.workspace(of: worker))
      }
      forEachRun(of: batch, blocks: tiling.outputBlocks, context) { block, tiles in
        tiling.transformOutput(
          products + block * blockStep + (tiles.lowerBound - first) * tiling.tileStep,
          block: block, tiles: tiles, into: output, context: context)
      }
    }
  }

  /// Calls `body` for every block and run of tiles, on all threads.
  private func forEachRun(
    of tiles: Range<Int>, blocks: Int, _ context: RunContext,
    _ body: (_ block: Int, _ tiles: Range<Int>) -> Void
  ) {
    let runs = (tiles.count + Self.tilesPerRun - 1) / Self.tilesPerRun
    context.team.forEach(blocks * runs) { index, _ in
      let first = tiles.lowerBound + index % runs * Self.tilesPerRun
      body(index / runs, first..<min(first + Self.tilesPerRun, tiles.upperBound))
    }
  }

  /// Transforms one plane of points of some output blocks' weights, and multiplies all tiles by it.
  private func multiply(
    _ transformed: UnsafePointer<Float>, _ count: Int, plane: Int, blocks: Range<Int>,
    into products: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<Float>
  ) {
    let pointStep = weights.pointStep(blocks: Self.blocksPerTask)
    for block in blocks {
      for inputBlock in 0..<weights.inputBlocks {
        weights.transform(
          plane: plane, outputBlock: block, inputBlock: inputBlock,
          into: workspace + (block - blocks.lowerBound) * weights.blockStep
            + inputBlock * Self.block * Self.block,
          pointStep: pointStep)
      }
    }
    let mix = tiling.mix
    // The last plane of a strided axis' weights serves several planes of points.
    let end = plane == mix.weightPoints.z - 1 ? mix.points.z : plane + 1
    weightPoints.withUnsafeBufferPointer { weightPoints in
      guard let weightPoints = weightPoints.baseAddress else { return }
      for z in plane..<end {
        let point = z * mix.points.y * mix.points.x * Self.block
        var job = nn_winograd_products(
          source: transformed + point, source_block_step: blockStep,
          source_tile_step: tiling.tileStep, weights: workspace, weight_point_step: pointStep,
          weight_block_step: weights.blockStep, weight_points: weightPoints,
          target: products + blocks.lowerBound * blockStep + point, target_block_step: blockStep,
          target_tile_step: tiling.tileStep, points: Int32(mix.points.y * mix.points.x),
          tiles: Int32(count), input_blocks: Int32(tiling.inputBlocks),
          output_blocks: Int32(blocks.count))
        tiling.kernels.pointee.winograd_products(&job)
      }
    }
  }
}
