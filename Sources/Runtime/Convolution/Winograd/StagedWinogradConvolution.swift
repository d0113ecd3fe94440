// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Winograd convolution with the weights transformed where they are used: all tiles are transformed,
/// then each task transforms some output channels' weights piece by piece into its cache and
/// multiplies all tiles by them, then all tiles are transformed back. A transformed weight is never
/// written to memory: for layers with few tiles and many channels.
struct StagedWinogradConvolution: JointConvolution {
  var operands: ConvolutionOperands
  private static let block = TensorLayout.blockWidth
  /// Floats that the tiles of a batch may take between their transforms.
  static var batchFloats: Int { Caches.found.thirdLevel / 4 * 3 }

  private let tiling: WinogradTiling
  private let transform: WinogradWeights
  private let segmentsPerBatch: Int
  private let pieces: StagedWeightPieces

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
    pieces = StagedWeightPieces(
      tileSizes, tiles: segmentsPerBatch * tiling.tilesPerSegment, inputBlocks: tiling.inputBlocks,
      outputBlocks: tiling.outputBlocks, target: target)
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
      (tiling.tileSizes.points.count + 1) * block * (tiling.inputBlocks + tiling.outputBlocks)
      * tiling.tilesPerSegment
    let fitting = max(1, batchFloats / floats)
    let batches = (segmentCount + fitting - 1) / fitting
    return (segmentCount + batches - 1) / batches
  }

  /// Where so many tiles lie, transformed, and their products.
  private struct Batch {
    let transformed, products: TilePlaces
    /// Floats of the transformed tiles.
    let count: Int

    init(_ tiling: WinogradTiling, tiles: Int) {
      let points = tiling.tileSizes.points.count
      transformed = TilePlaces(tiles: tiles, blocks: tiling.inputBlocks, kernels: tiling.kernels)
      products = TilePlaces(tiles: tiles, points: points, kernels: tiling.kernels)
      count = points * transformed.pointStep
    }
  }

  private var largestBatch: Batch {
    Batch(tiling, tiles: segmentsPerBatch * tiling.tilesPerSegment)
  }

  /// Floats of a batch's tiles and products.
  private var tileCount: Int {
    largestBatch.count + tiling.outputBlocks * largestBatch.products.blockStep
  }

  var scratchCount: Int { tileCount + weights.widenedCount }

  var workspaceCount: Int { pieces.count }

  var momentGroups: Int { tiling.segmentCount }

  func convolve(
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
    let products = transformed + largestBatch.count
    let segmentCount = cases.count * tiling.segmentCount
    for first in stride(from: 0, to: segmentCount, by: segmentsPerBatch) {
      let batch = first..<min(first + segmentsPerBatch, segmentCount)
      let tiles = tiling.tiles(ofSegments: batch)
      let places = Batch(tiling, tiles: tiles.count)
      func run(_ index: Int) -> WinogradTiling.InputRun {
        let own = tiling.split(first + index % batch.count)
        let source = inputBlocks[index / batch.count]
        return .init(
          feature: source.feature, block: source.block, segment: own.segment,
          context: cases[own.case])
      }
      let runs = inputBlocks.count * batch.count
      shared.team.forEach(runs) { index, _ in
        let next = index + shared.team.count
        tiling.transformInput(
          run(index), next: next < runs ? run(next) : nil,
          into: transformed + index / batch.count * places.transformed.blockStep,
          places.transformed,
          tilesBefore: tiling.tiles(from: first, to: first + index % batch.count))
      }
      shared.team.forEach(pieces.tasks) { task, worker in
        multiply(
          transformed, tiles.count, places, by: source, task: task, into: products,
          workspace: shared.workspace(of: worker))
      }
      shared.team.forEach(tiling.outputBlocks * batch.count) { index, _ in
        let (block, segment) = (index / batch.count, first + index % batch.count)
        let own = tiling.split(segment)
        tiling.transformOutput(
          products + block * places.products.blockStep, places.products,
          tilesBefore: tiling.tiles(from: first, to: segment), block: block,
          segment: own.segment, into: operands.output,
          moments: moments[own.case].map { $0 + block * momentGroups + own.segment },
          context: cases[own.case])
      }
    }
  }

  /// Transforms some output blocks' weights piece by piece, and multiplies all tiles by them.
  private func multiply(
    _ transformed: UnsafePointer<Float>, _ count: Int, _ places: Batch,
    by source: UnsafePointer<Float>, task: Int, into products: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    let (blocks, runs) = pieces.work(ofTask: task)
    for run in runs {
      for inputs in pieces.inputs {
        for block in blocks {
          for input in inputs {
            transform.transform(
              source, slices: run.slices, outputBlock: block, inputBlock: input,
              into: workspace + (block - blocks.lowerBound) * pieces.blockStep
                + (input - inputs.lowerBound) * Self.block * Self.block,
              pointStep: pieces.pointStep)
          }
        }
        run.weightPoints.withUnsafeBufferPointer { weightPoints in
          guard let weightPoints = weightPoints.baseAddress else { return }
          var job = nn_winograd_products(
            source: transformed + run.firstPoint * places.transformed.pointStep
              + inputs.lowerBound * places.transformed.blockStep,
            source_places: places.transformed.kernel, weights: workspace,
            weight_point_step: pieces.pointStep,
            weight_block_step: pieces.blockStep, weight_points: weightPoints,
            target: products + blocks.lowerBound * places.products.blockStep
              + run.firstPoint * places.products.pointStep,
            target_places: places.products.kernel, points: Int32(run.weightPoints.count),
            tiles: Int32(count), input_blocks: Int32(inputs.count),
            output_blocks: Int32(blocks.count), fetches_weights: 0,
            accumulates: inputs.lowerBound > 0 ? 1 : 0)
          tiling.kernels.pointee.winograd_products(&job)
        }
      }
    }
  }
}
