// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Winograd convolution with the weights transformed where they are used: all tiles are transformed,
/// then each task transforms one plane of points of some output channels' weights into its cache and
/// multiplies all tiles by it, then all tiles are transformed back. A transformed weight is never
/// written to memory: for layers with few tiles and many channels.
struct StagedWinogradConvolution: ConvolutionInstruction {
  var operands: ConvolutionOperands
  private static let block = TensorLayout.blockWidth
  /// Floats that the tiles of a batch may take between their transforms.
  static var batchFloats: Int { Caches.found.thirdLevel / 4 * 3 }
  /// Output blocks per task: the fewer, the more often tiles are read; the more, the larger a task's
  /// weights.
  private static let blocksPerTask = 2

  private let tiling: WinogradTiling
  private let transform: WinogradWeights
  private let segmentsPerBatch: Int
  /// Of every point of a plane its weight's, within the plane.
  private let weightPoints: [Int32]

  var method: ConvolutionMethod { .staged(tiling.tileSizes) }
  var weights: PackedWeights { transform.weights }
  var weightByteCount: Int { weights.byteCount }

  func prepare() { weights.prepare() }

  init(
    _ operands: ConvolutionOperands, tileSizes: WinogradTileSizes, weights: PackedWeights,
    target: Target, batchFloats: Int = StagedWinogradConvolution.batchFloats
  ) {
    self.operands = operands
    tiling = WinogradTiling(operands.geometry, tileSizes: tileSizes, kernels: target.kernels)
    transform = WinogradWeights(weights, tileSizes: tileSizes, kernels: target.kernels)
    segmentsPerBatch = Self.segmentsPerBatch(tiling, cases: operands.cases, batchFloats)
    let plane = tileSizes.points.y * tileSizes.points.x
    weightPoints = tileSizes.weightPointOfPoint.prefix(plane).map(Int32.init)
  }

  /// How often the weights are transformed for a layer.
  static func batches(_ tiling: WinogradTiling, cases: Int = 1) -> Int {
    let segments = segmentsPerBatch(tiling, cases: cases)
    return (cases * tiling.segmentCount + segments - 1) / segments
  }

  /// Of nearly equal batches whose tiles fit into the third-level cache; of one case after the other.
  static func segmentsPerBatch(
    _ tiling: WinogradTiling, cases: Int,
    _ batchFloats: Int = StagedWinogradConvolution.batchFloats
  ) -> Int {
    let segmentCount = cases * tiling.segmentCount
    let floats =
      tiling.tileStep * (tiling.inputBlocks + tiling.outputBlocks) * tiling.tilesPerSegment
    let fitting = max(1, batchFloats / floats)
    let batches = (segmentCount + fitting - 1) / fitting
    return (segmentCount + batches - 1) / batches
  }

  /// From a channel block's tiles to the next one's.
  private var blockStep: Int { segmentsPerBatch * tiling.tilesPerSegment * tiling.tileStep }

  private var tileCount: Int { (tiling.inputBlocks + tiling.outputBlocks) * blockStep }

  var scratchCount: Int { tileCount + weights.widenedCount }

  /// One plane of points of a task's weights.
  var workspaceCount: Int {
    transform.pointsPerPlane * transform.pointStep(blocks: Self.blocksPerTask)
  }

  var momentGroups: Int { tiling.segmentCount }

  func convolve(moments: UnsafeMutablePointer<nn_moments>?, context: RunContext) {
    convolve([context], moments: [moments])
  }

  func run(_ cases: [RunContext]) {
    convolve(cases, moments: cases.map { operands.norm?.moments($0.memory) })
    for context in cases { operands.norm?.finish(operands.output, context: context) }
  }

  private func convolve(
    _ cases: [RunContext], moments: [UnsafeMutablePointer<nn_moments>?]
  ) {
    guard let shared = cases.first else { return }
    let scratch = shared.memory[operands.scratch ?? operands.output.buffer]
    transform.withSource(widened: scratch + tileCount, team: shared.team) { source in
      run(source, scratch: scratch, moments, cases, shared)
    }
  }

  private func run(
    _ source: UnsafePointer<Float>, scratch transformed: UnsafeMutablePointer<Float>,
    _ moments: [UnsafeMutablePointer<nn_moments>?], _ cases: [RunContext], _ shared: RunContext
  ) {
    let inputBlocks = operands.input.blocks
    let products = transformed + tiling.inputBlocks * blockStep
    let planes = tiling.tileSizes.weightPoints.z
    let groups = (tiling.outputBlocks + Self.blocksPerTask - 1) / Self.blocksPerTask
    let segmentCount = cases.count * tiling.segmentCount
    for first in stride(from: 0, to: segmentCount, by: segmentsPerBatch) {
      let batch = first..<min(first + segmentsPerBatch, segmentCount)
      let tiles = tiling.tiles(ofSegments: batch)
      func place(_ segment: Int, _ block: Int) -> Int {
        block * blockStep + tiling.offset(ofSegment: segment, from: first)
      }
      shared.team.forEach(tiling.inputBlocks * batch.count) { index, _ in
        let (block, segment) = (index / batch.count, first + index % batch.count)
        let own = tiling.split(segment)
        tiling.transformInput(
          inputBlocks[block].feature, block: inputBlocks[block].block, segment: own.segment,
          into: transformed + place(segment, block), context: cases[own.case])
      }
      // Plane by plane: tasks that run at the same time read the same tiles.
      shared.team.forEach(planes * groups) { task, worker in
        let firstBlock = task % groups * Self.blocksPerTask
        multiply(
          transformed, tiles.count, by: source, plane: task / groups,
          blocks: firstBlock..<min(firstBlock + Self.blocksPerTask, tiling.outputBlocks),
          into: products, workspace: shared.workspace(of: worker))
      }
      shared.team.forEach(tiling.outputBlocks * batch.count) { index, _ in
        let (block, segment) = (index / batch.count, first + index % batch.count)
        let own = tiling.split(segment)
        tiling.transformOutput(
          products + place(segment, block), block: block, segment: own.segment,
          into: operands.output,
          moments: moments[own.case].map { $0 + block * momentGroups + own.segment },
          context: cases[own.case])
      }
    }
  }

  /// Transforms one plane of points of some output blocks' weights, and multiplies all tiles by it.
  private func multiply(
    _ transformed: UnsafePointer<Float>, _ count: Int, by source: UnsafePointer<Float>, plane: Int,
    blocks: Range<Int>,
    into products: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<Float>
  ) {
    let pointStep = transform.pointStep(blocks: Self.blocksPerTask)
    for block in blocks {
      for inputBlock in 0..<transform.inputBlocks {
        transform.transform(
          source, plane: plane, outputBlock: block, inputBlock: inputBlock,
          into: workspace + (block - blocks.lowerBound) * transform.blockStep
            + inputBlock * Self.block * Self.block,
          pointStep: pointStep)
      }
    }
    let tileSizes = tiling.tileSizes
    // The last plane of a strided axis' weights serves several planes of points.
    let end = plane == tileSizes.weightPoints.z - 1 ? tileSizes.points.z : plane + 1
    weightPoints.withUnsafeBufferPointer { weightPoints in
      guard let weightPoints = weightPoints.baseAddress else { return }
      for z in plane..<end {
        let point = z * tileSizes.points.y * tileSizes.points.x * Self.block
        var job = nn_winograd_products(
          source: transformed + point, source_block_step: blockStep,
          source_tile_step: tiling.tileStep, weights: workspace, weight_point_step: pointStep,
          weight_block_step: transform.blockStep, weight_points: weightPoints,
          target: products + blocks.lowerBound * blockStep + point, target_block_step: blockStep,
          target_tile_step: tiling.tileStep, points: Int32(tileSizes.points.y * tileSizes.points.x),
          tiles: Int32(count), input_blocks: Int32(tiling.inputBlocks),
          output_blocks: Int32(blocks.count), fetches_weights: 0)
        tiling.kernels.pointee.winograd_products(&job)
      }
    }
  }
}
