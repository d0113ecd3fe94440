// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// The gradient of a convolution's weight by Winograd's algorithm: activated inputs and outputs' gradients are
/// transformed tile by tile, at every point their products are summed over all tiles, and the sums transformed
/// back to taps. With F(2, 3) these are as many products as the forward pass has, 3.4 times fewer than there are
/// in three dimensions; 1.7 times fewer with F(2, 2) for stride 2.
struct WinogradWeightGradient: Instruction {
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
  /// From a point to the next; one line more than the tiles need, since points at a power of two's distance would
  /// fight for the same cache sets.
  private let pointStep: Int
  /// Of every point its weight's.
  private let weightPoints: [Int32]

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
    pointStep = (segmentsPerBatch * tiling.tilesPerSegment + 1) * Self.block
    weightPoints = tileSizes.weightPointOfPoint.map(Int32.init)
    scratch = buffers.reserveShared(
      (tiling.inputBlocks + tiling.outputBlocks) * tileSizes.points.count * pointStep)
  }

  var algorithm: String { "\(tiling.tileSizes.name) weight gradient" }
  var flops: Double { geometry.flops }
  var buffers: [Buffer] { source.buffers + [gradient.buffer, scratch] }

  private var points: Int { tiling.tileSizes.points.count }
  private var blockStep: Int { points * pointStep }

  /// A segment's transformed inputs, or one input block's and one output block's sums, `[weight point][input][16]`.
  var workspaceCount: Int {
    max(
      tiling.tilesPerSegment * tiling.tileStep,
      tiling.tileSizes.weightPoints.count * Self.block * Self.block)
  }

  func run(_ context: RunContext) { run([context]) }

  func run(_ cases: [RunContext]) {
    guard let shared = cases.first else { return }
    let accumulates = parameters.beginGradient(of: weight)
    let inputs = shared.memory[scratch]
    let gradients = inputs + tiling.inputBlocks * blockStep
    // Several tasks for a thread, and of each the tiles of one input block, which stay in its cache.
    let wanted = threads == 1 ? 1 : 4 * threads
    let parts = min(tiling.outputBlocks, (wanted + tiling.inputBlocks - 1) / tiling.inputBlocks)
    let segmentCount = cases.count * tiling.segmentCount
    for first in stride(from: 0, to: segmentCount, by: segmentsPerBatch) {
      let batch = first..<min(first + segmentsPerBatch, segmentCount)
      func place(_ segment: Int) -> Int {
        (tiling.tiles(ofSegment: segment).lowerBound - tiling.tiles(ofSegment: first).lowerBound)
          * Self.block
      }
      shared.team.forEach(tiling.inputBlocks * batch.count) { index, worker in
        let (block, segment) = (index / batch.count, first + index % batch.count)
        let own = tiling.split(segment)
        let tiles = shared.workspace(of: worker)
        tiling.transformInput(
          source, block: block, segment: own.segment, into: tiles, context: cases[own.case])
        sort(
          tiles, count: tiling.tiles(ofSegment: segment).count,
          into: inputs + block * blockStep + place(segment))
      }
      shared.team.forEach(tiling.outputBlocks * batch.count) { index, _ in
        let (block, segment) = (index / batch.count, first + index % batch.count)
        let own = tiling.split(segment)
        tiling.transformGradient(
          gradient, block: block, segment: own.segment,
          into: gradients + block * blockStep + place(segment), pointStep: pointStep,
          context: cases[own.case])
      }
      let tiles = tiling.tiles(ofSegments: batch).count
      shared.team.forEach(tiling.inputBlocks * parts) { index, worker in
        let (inputBlock, part) = (index / parts, index % parts)
        let blocks =
          part * tiling.outputBlocks / parts..<(part + 1) * tiling.outputBlocks / parts
        for outputBlock in blocks {
          add(
            inputBlock: inputBlock, outputBlock: outputBlock, tiles: tiles,
            inputs + inputBlock * blockStep, gradients + outputBlock * blockStep,
            sums: shared.workspace(of: worker), accumulates: accumulates || first > 0)
        }
      }
    }
  }

  /// `[tile][point][16]` to `[point][tile][16]`.
  private func sort(
    _ tiles: UnsafePointer<Float>, count: Int, into target: UnsafeMutablePointer<Float>
  ) {
    for tile in 0..<count {
      for point in 0..<points {
        (target + point * pointStep + tile * Self.block).update(
          from: tiles + tile * tiling.tileStep + point * Self.block, count: Self.block)
      }
    }
  }

  private func add(
    inputBlock: Int, outputBlock: Int, tiles: Int, _ inputs: UnsafePointer<Float>,
    _ gradients: UnsafePointer<Float>, sums: UnsafeMutablePointer<Float>, accumulates: Bool
  ) {
    let block = Self.block
    let width = geometry.inputs.widths[inputBlock]
    weightPoints.withUnsafeBufferPointer { weightPoints in
      guard let weightPoints = weightPoints.baseAddress else { return }
      var products = nn_winograd_gradient_products(
        inputs: inputs, gradients: gradients, input_point_step: pointStep,
        gradient_point_step: pointStep, points: Int32(points), tiles: Int32(tiles),
        weight_points: weightPoints, target: sums)
      kernels.pointee.winograd_gradient_products(&products)
    }
    let layout = PackedLayout(shape: weight.shape)
    var job = nn_winograd_weight_gradient(
      tile_sizes: tiling.tileSizes.code, inputs: Int32(width), source: sums,
      point_step: block * block,
      target: parameters.gradient(weight)
        + layout.laneIndex(block: outputBlock, input: inputBlock * block, tap: 0),
      tap_step: width * block, accumulate: accumulates ? 1 : 0)
    kernels.pointee.winograd_weight_gradient(&job)
  }
}
