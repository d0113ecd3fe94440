// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// The gradient of a convolution's weight by Winograd's algorithm: activated inputs and outputs' gradients are
/// transformed tile by tile, at every point their products are summed over all tiles, and the sums transformed
/// back to taps. With F(2, 3) these are as many products as the forward pass has, 3.4 times fewer than there are
/// in three dimensions; 1.7 times fewer with F(2, 2) for stride 2.
struct WinogradWeightGradient: JointInstruction {
  private static let block = TensorLayout.blockWidth

  let name: String
  let source: Feature
  /// Of what the convolution wrote.
  let gradient: Activation
  let weight: TrainedParameters.Entry
  let parameters: TrainedParameters
  let kernels: Kernels
  private let geometry: ConvolutionGeometry
  private let threads: Int
  private let tiling: WinogradTiling
  private let segmentsPerBatch: Int
  /// Transformed inputs and gradients, `[block][point][tile][16]`.
  private let scratch: Buffer
  private let places: TilePlaces
  /// Tiles from which on it goes point by point, and not block by block: those of one block at all points do not stay in
  /// the second-level cache then.
  private static let manyTiles = 64
  private let goesByPoint: Bool
  private static let onePoint: [Int32] = [0]
  /// Of every point its weight's.
  private let weightPoints: [Int32]
  /// Of every weight point those that share it.
  private let pointsOfWeight: [[Int]]
  /// What is summed at every weight point, `[weight point][output block][input block][input][16]`.
  private let sums: Buffer
  private let sumStep: Int

  init(
    name: String, geometry: ConvolutionGeometry, tileSizes: WinogradTileSizes, source: Feature,
    gradient: Activation, weight: TrainedParameters.Entry, parameters: TrainedParameters,
    target: Target, buffers: inout Buffers
  ) {
    self.name = name
    self.geometry = geometry
    self.source = source
    self.gradient = gradient
    self.weight = weight
    self.parameters = parameters
    kernels = target.kernels
    threads = target.threads
    let tiling = WinogradTiling(geometry, tileSizes: tileSizes, kernels: target.kernels)
    self.tiling = tiling
    segmentsPerBatch = StagedWinogradConvolution.segmentsPerBatch(tiling, cases: buffers.cases)
    places = TilePlaces(tiles: segmentsPerBatch * tiling.tilesPerSegment)
    goesByPoint = segmentsPerBatch * tiling.tilesPerSegment >= Self.manyTiles
    let weightPoints = tileSizes.weightPointOfPoint
    self.weightPoints = weightPoints.map(Int32.init)
    pointsOfWeight = (0..<tileSizes.weightPoints.count).map { weight in
      weightPoints.indices.filter { weightPoints[$0] == weight }
    }
    sumStep = (tiling.outputBlocks * tiling.inputBlocks * Self.block + 1) * Self.block
    sums = buffers.reserveShared(goesByPoint ? pointsOfWeight.count * sumStep : 0)
    scratch = buffers.reserveShared(
      (tiling.inputBlocks + tiling.outputBlocks) * tileSizes.points.count * places.pointStep)
  }

  var algorithm: String { "\(tiling.tileSizes.name) weight gradient" }
  var flops: Double { geometry.flops }
  var buffers: [Buffer] { source.buffers + [gradient.buffer, scratch, sums] }

  private var points: Int { tiling.tileSizes.points.count }
  private var pointStep: Int { places.pointStep }
  private var blockStep: Int { points * pointStep }

  /// What is summed for one input block and one output block.
  var workspaceCount: Int { goesByPoint ? 0 : pointsOfWeight.count * Self.sumPointStep }

  /// Floats from a weight point to the next of one input block and one output block: an odd number of cache lines, since
  /// points at a power of two's distance would fight for the same cache sets.
  private static let sumPointStep = (block | 1) * block

  func run(_ cases: [RunContext]) {
    guard let shared = cases.first else { return }
    let accumulates = parameters.beginGradient(of: weight)
    let inputs = shared.memory[scratch]
    let gradients = inputs + tiling.inputBlocks * blockStep
    let sums = shared.memory[sums]
    let segmentCount = cases.count * tiling.segmentCount
    for first in stride(from: 0, to: segmentCount, by: segmentsPerBatch) {
      let batch = first..<min(first + segmentsPerBatch, segmentCount)
      shared.team.forEach(tiling.inputBlocks * batch.count) { index, _ in
        let (block, segment) = (index / batch.count, first + index % batch.count)
        let own = tiling.split(segment)
        tiling.transformInput(
          .init(feature: source, block: block, segment: own.segment, context: cases[own.case]),
          next: nil, into: inputs + block * blockStep, places,
          tilesBefore: tiling.tiles(from: first, to: segment))
      }
      shared.team.forEach(tiling.outputBlocks * batch.count) { index, _ in
        let (block, segment) = (index / batch.count, first + index % batch.count)
        let own = tiling.split(segment)
        tiling.transformGradient(
          gradient, block: block, segment: own.segment,
          into: gradients + block * blockStep
            + tiling.tiles(from: first, to: segment) * Self.block, pointStep: pointStep,
          context: cases[own.case])
      }
      let tiles = tiling.tiles(ofSegments: batch).count
      if goesByPoint {
        multiplyByPoint(
          inputs, gradients, tiles: tiles, into: sums, accumulates: first > 0, shared.team)
      } else {
        multiplyByBlock(
          inputs, gradients, tiles: tiles, accumulates: accumulates || first > 0, shared)
      }
    }
    guard goesByPoint else { return }
    shared.team.forEach(tiling.outputBlocks * tiling.inputBlocks) { index, _ in
      store(
        sums + index * Self.block * Self.block, pointStep: sumStep,
        outputBlock: index / tiling.inputBlocks, inputBlock: index % tiling.inputBlocks,
        accumulates: accumulates)
    }
  }

  /// A task has the tiles of one input block, which stay in its cache.
  private func multiplyByBlock(
    _ inputs: UnsafePointer<Float>, _ gradients: UnsafePointer<Float>, tiles: Int,
    accumulates: Bool, _ shared: RunContext
  ) {
    let wanted = threads == 1 ? 1 : 4 * threads
    let parts = min(tiling.outputBlocks, (wanted + tiling.inputBlocks - 1) / tiling.inputBlocks)
    shared.team.forEach(tiling.inputBlocks * parts) { index, worker in
      let (inputBlock, part) = (index / parts, index % parts)
      let sums = shared.workspace(of: worker)
      for outputBlock in part * tiling.outputBlocks / parts..<(part + 1) * tiling.outputBlocks
        / parts
      {
        add(
          inputs + inputBlock * blockStep, gradients + outputBlock * blockStep, tiles: tiles,
          weightPoints: weightPoints, into: sums, accumulates: false)
        store(
          sums, pointStep: Self.sumPointStep, outputBlock: outputBlock,
          inputBlock: inputBlock, accumulates: accumulates)
      }
    }
  }

  /// Point by point: the tiles of all blocks at one point stay in the second-level cache while every block meets every
  /// other.
  private func multiplyByPoint(
    _ inputs: UnsafePointer<Float>, _ gradients: UnsafePointer<Float>, tiles: Int,
    into sums: UnsafeMutablePointer<Float>, accumulates: Bool, _ team: ThreadTeam
  ) {
    // Several tasks for a thread.
    let wanted = threads == 1 ? 1 : 4 * threads
    let parts = min(
      tiling.outputBlocks, (wanted + pointsOfWeight.count - 1) / pointsOfWeight.count)
    team.forEach(pointsOfWeight.count * parts) { index, _ in
      let (weight, part) = (index / parts, index % parts)
      let blocks =
        part * tiling.outputBlocks / parts..<(part + 1) * tiling.outputBlocks / parts
      for (number, point) in pointsOfWeight[weight].enumerated() {
        // In the order in which sums lie: these are what comes from memory.
        for outputBlock in blocks {
          for inputBlock in 0..<tiling.inputBlocks {
            let place = outputBlock * tiling.inputBlocks + inputBlock
            add(
              inputs + inputBlock * blockStep + point * pointStep,
              gradients + outputBlock * blockStep + point * pointStep, tiles: tiles,
              weightPoints: Self.onePoint,
              into: sums + weight * sumStep + place * Self.block * Self.block,
              accumulates: accumulates || number > 0)
          }
        }
      }
    }
  }

  /// The products of one input block and one output block at some points.
  private func add(
    _ inputs: UnsafePointer<Float>, _ gradients: UnsafePointer<Float>, tiles: Int,
    weightPoints: [Int32], into target: UnsafeMutablePointer<Float>, accumulates: Bool
  ) {
    weightPoints.withUnsafeBufferPointer { points in
      guard let start = points.baseAddress else { return }
      var job = nn_winograd_gradient_products(
        inputs: inputs, gradients: gradients, input_point_step: pointStep,
        gradient_point_step: pointStep, points: Int32(points.count), tiles: Int32(tiles),
        weight_points: start, target: target, target_point_step: Self.sumPointStep,
        next: points.count > 1 ? Self.sumPointStep : Self.block * Self.block,
        accumulate: accumulates ? 1 : 0)
      kernels.pointee.winograd_gradient_products(&job)
    }
  }

  /// Transforms what was summed for one input block and one output block back to taps.
  private func store(
    _ source: UnsafePointer<Float>, pointStep: Int, outputBlock: Int, inputBlock: Int,
    accumulates: Bool
  ) {
    let block = Self.block
    let width = geometry.inputs.widths[inputBlock]
    let layout = PackedLayout(shape: weight.shape)
    var job = nn_winograd_weight_gradient(
      tile_sizes: tiling.tileSizes.code, inputs: Int32(width), source: source,
      point_step: pointStep,
      target: parameters.gradient(weight)
        + layout.laneIndex(block: outputBlock, input: inputBlock * block, tap: 0),
      tap_step: width * block, accumulate: accumulates ? 1 : 0)
    kernels.pointee.winograd_weight_gradient(&job)
  }
}
