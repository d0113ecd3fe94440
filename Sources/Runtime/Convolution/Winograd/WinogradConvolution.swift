// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Convolution with fewer multiplications: tiles are transformed, multiplied point by point, and
/// transformed back, a block of tiles at a time so that everything between input and output stays in
/// the second-level cache. The whole transformed weight is read for every block: for layers with many
/// tiles and few channels.
///
/// Sources: Lavin & Gray 2016; Jia et al., "Optimizing N-dimensional, Winograd-based convolution for
/// manycore CPUs", PPoPP 2018; Gelashvili et al., "L3 fusion", 2019.
struct WinogradConvolution: ConvolutionInstruction {
  var operands: ConvolutionOperands
  private let tiling: WinogradTiling
  private let transform: WinogradWeights
  /// The transformed weight where it is kept; else it is transformed in every run, into memory that
  /// the layers share: a large weight grows up to eightfold, and costs little beside its use.
  private let kept: StoredWeights?
  private let segmentsPerTask: Int
  private let threads: Int
  private let weightPoints: [Int32]

  var method: ConvolutionMethod { .fused(tiling.tileSizes) }
  var weights: PackedWeights { transform.weights }
  var weightByteCount: Int { weights.byteCount + (kept?.byteCount ?? 0) }
  var scratchCount: Int { kept == nil ? transform.count + weights.widenedCount : 0 }

  /// Floats from which on a transformed weight is not kept.
  static let largestKept = 1 << 19

  init(
    _ operands: ConvolutionOperands, tileSizes: WinogradTileSizes, weights: PackedWeights,
    target: Target, largestKept: Int = WinogradConvolution.largestKept
  ) throws(RuntimeError) {
    self.operands = operands
    transform = WinogradWeights(weights, tileSizes: tileSizes, kernels: target.kernels)
    kept = transform.count <= largestKept ? try transform.stored() : nil
    tiling = WinogradTiling(operands.geometry, tileSizes: tileSizes, kernels: target.kernels)
    threads = target.threads
    segmentsPerTask = Self.segmentsPerTask(tiling, threads: threads)
    weightPoints = tileSizes.weightPointOfPoint.map(Int32.init)
  }

  func prepare() {
    weights.prepare()
    kept?.prepare { transform.transform(into: $0, team: ThreadTeam(count: threads)) }
  }

  /// Floats that the tiles of a task may take between their transforms: weights go through the same cache.
  private static var taskFloats: Int { Caches.found.secondLevel / 2 }

  /// Floats from which on a transformed weight is fetched before it is used: from the third-level cache it comes too
  /// late otherwise.
  private static var largestNear: Int { 2 * Caches.found.secondLevel }

  /// Tiles of a task at least, even if they outgrow the cache.
  private static let fewestTiles = 7

  /// The more tiles share a task, the less often the weights are read, but what they share has to
  /// stay in the cache.
  static func segmentsPerTask(_ tiling: WinogradTiling, threads: Int) -> Int {
    let segment = tiling.tilesPerSegment
    let floats =
      tiling.tileSizes.points.count * blocks(tiling) * TensorLayout.blockWidth * segment
    let fitting = max((fewestTiles + segment - 1) / segment, taskFloats / floats)
    return max(1, min(fitting, tiling.segmentCount / (2 * threads)))
  }

  // MARK: - In place

  /// Spare slices that a run in place needs before what it overwrites; 0 where it cannot be or saves
  /// little.
  ///
  /// Layers of tiles are done one slab after the other. A slab reads from one slice before its first
  /// output on, so what it writes has to lie as many slices behind as it has, and one more.
  static func slackSlices(
    _ geometry: ConvolutionGeometry, tileSizes: WinogradTileSizes, target: Target
  ) -> Int {
    let tiling = WinogradTiling(geometry, tileSizes: tileSizes, kernels: target.kernels)
    guard geometry.input == geometry.positions,
      tiling.outputBlocks * TensorLayout.blockWidth * geometry.input.count
        >= target.overwriting.smallestActivation
    else { return 0 }
    let threads = target.threads
    let layer = tiling.layer
    // Segments that are tasks enough.
    let segments =
      target.overwriting.tasksPerThread * threads * segmentsPerTask(tiling, threads: threads)
    let layers = max(1, (segments + layer.segments - 1) / layer.segments)
    let slices = layers * layer.outputs + layer.padding
    return slices <= geometry.input.count / geometry.input.sliceCount / 3 ? slices : 0
  }

  /// Segments of the slabs that are done one after the other; all at once where output and input lie
  /// apart.
  private var slabs: [Range<Int>] {
    let output = operands.output
    let overwritten = operands.input.features.first { $0.activation.buffer == output.buffer }
    guard let overwritten else { return [0..<tiling.segmentCount] }
    let shift = overwritten.activation.slackSlices - output.slackSlices
    let layer = tiling.layer
    let slab = (shift - layer.padding) / layer.outputs * layer.segments
    return stride(from: 0, to: tiling.segmentCount, by: slab).map {
      $0..<min($0 + slab, tiling.segmentCount)
    }
  }

  // MARK: - Running

  /// Blocks of channels that a tile has room for: transformed, and then their products.
  private static func blocks(_ tiling: WinogradTiling) -> Int {
    max(tiling.inputBlocks, tiling.outputBlocks)
  }

  private func places(tiles: Int) -> TilePlaces {
    TilePlaces(tiles: tiles, blocks: Self.blocks(tiling), kernels: tiling.kernels)
  }

  /// Of the tiles of a task at most, and one point more: a point's products lie where the transformed tiles of the
  /// point before it were, which nothing reads any more.
  var workspaceCount: Int {
    (tiling.tileSizes.points.count + 1)
      * places(tiles: segmentsPerTask * tiling.tilesPerSegment).pointStep
  }

  var momentGroups: Int { tiling.segmentCount }

  func convolve(moments: UnsafeMutablePointer<nn_moments>?, context: RunContext) {
    let transformedWeights: UnsafePointer<Float>
    if let kept {
      transformedWeights = kept.pointer
    } else {
      let target = context.memory[operands.scratch ?? operands.output.buffer]
      transform.withSource(widened: target + transform.count, team: context.team) { source in
        transform.transform(source, into: target, team: context.team)
      }
      transformedWeights = UnsafePointer(target)
    }
    let inputBlocks = operands.input.blocks
    for slab in slabs {
      context.team.forEach((slab.count + segmentsPerTask - 1) / segmentsPerTask) { task, worker in
        let first = slab.lowerBound + task * segmentsPerTask
        let segments = first..<min(first + segmentsPerTask, slab.upperBound)
        let tiles = tiling.tiles(ofSegments: segments)
        let places = places(tiles: tiles.count)
        let products = context.workspace(of: worker)
        let transformed = products + places.pointStep
        func run(_ number: Int) -> WinogradTiling.InputRun {
          let source = inputBlocks[number / segments.count]
          return .init(
            feature: source.feature, block: source.block,
            segment: first + number % segments.count, context: context)
        }
        let runs = inputBlocks.count * segments.count
        for number in 0..<runs {
          let current = run(number)
          tiling.transformInput(
            current, next: number + 1 < runs ? run(number + 1) : nil,
            into: transformed + number / segments.count * places.blockStep, places,
            tilesBefore: tiling.tiles(from: first, to: current.segment))
        }
        multiply(transformed, tiles.count, places, by: transformedWeights, into: products)
        for block in 0..<tiling.outputBlocks {
          for segment in segments {
            tiling.transformOutput(
              products + block * places.blockStep, places,
              tilesBefore: tiling.tiles(from: first, to: segment), block: block,
              segment: segment, into: operands.output,
              moments: moments.map { $0 + block * momentGroups + segment }, context: context)
          }
        }
      }
    }
  }

  /// For every point a matrix product: tiles × input channels times input × output channels.
  private func multiply(
    _ transformed: UnsafePointer<Float>, _ count: Int, _ places: TilePlaces,
    by transformedWeights: UnsafePointer<Float>, into products: UnsafeMutablePointer<Float>
  ) {
    weightPoints.withUnsafeBufferPointer { weightPoints in
      guard let weightPoints = weightPoints.baseAddress else { return }
      var job = nn_winograd_products(
        source: transformed, source_places: places.kernel, weights: transformedWeights,
        weight_point_step: transform.pointStep,
        weight_block_step: transform.blockStep, weight_points: weightPoints, target: products,
        target_places: places.kernel, points: Int32(tiling.tileSizes.points.count),
        tiles: Int32(count), input_blocks: Int32(tiling.inputBlocks),
        output_blocks: Int32(tiling.outputBlocks),
        fetches_weights: transform.count > Self.largestNear ? 1 : 0, accumulates: 0)
      tiling.kernels.pointee.winograd_products(&job)
    }
  }
}
