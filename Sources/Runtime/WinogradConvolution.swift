internal import CKernels
internal import SWTFormat

/// Convolution with fewer multiplications: tiles are transformed, multiplied point by point, and
/// transformed back, a block of tiles at a time so that everything between input and output stays in
/// the second-level cache. The whole transformed weight is read for every block: for layers with many
/// tiles and few channels.
///
/// Sources: Lavin & Gray 2016; Jia et al., "Optimizing N-dimensional, Winograd-based convolution for
/// manycore CPUs", PPoPP 2018; Gelashvili et al., "L3 fusion", 2019.
struct WinogradConvolution: ConvolutionAlgorithm {
  private let tiling: WinogradTiling
  private let weights: WinogradWeights
  /// The transformed weight where it is kept; else it is transformed in every run, into memory that
  /// the layers share: a large weight grows up to eightfold, and costs little beside its use.
  private let kept: KeptWeights?
  private let segmentsPerTask: Int
  private let threads: Int
  private let weightPoints: [Int32]

  var name: String { tiling.tileSizes.name }
  var weightByteCount: Int { kept?.byteCount ?? 0 }
  var scratchCount: Int { kept == nil ? weights.count + weights.roomCount : 0 }

  /// Floats from which on a transformed weight is not kept.
  static let largestKept = 1 << 19

  init(
    _ geometry: ConvolutionGeometry, tileSizes: WinogradTileSizes, weights: PackedWeights,
    kernels: Kernels, threads: Int,
    largestKept: Int = WinogradConvolution.largestKept
  ) throws(RuntimeError) {
    let weights = WinogradWeights(weights, tileSizes: tileSizes, kernels: kernels)
    let kept = weights.count <= largestKept ? try KeptWeights(floats: weights.count) : nil
    self.init(
      WinogradTiling(geometry, tileSizes: tileSizes, kernels: kernels), weights: weights,
      kept: kept,
      threads: threads)
  }

  private init(
    _ tiling: WinogradTiling, weights: WinogradWeights, kept: KeptWeights?, threads: Int
  ) {
    self.tiling = tiling
    self.weights = weights
    self.kept = kept
    self.threads = threads
    segmentsPerTask = Self.segmentsPerTask(tiling, threads: threads)
    weightPoints = tiling.tileSizes.weightPointOfPoint.map(Int32.init)
  }

  func prepare() {
    kept?.prepare { weights.transform(into: $0, team: ThreadTeam(count: threads)) }
  }

  func resized(to input: Extent3) -> any ConvolutionAlgorithm {
    WinogradConvolution(tiling.resized(to: input), weights: weights, kept: kept, threads: threads)
  }

  /// Floats that the tiles of a task may take between their transforms.
  private static var taskFloats: Int { Caches.found.secondLevel / 4 * 3 }

  /// Tiles of a task at least, even if they outgrow the cache.
  private static let fewestTiles = 7

  /// The more tiles share a task, the less often the weights are read, but what they share has to
  /// stay in the cache.
  static func segmentsPerTask(_ tiling: WinogradTiling, threads: Int) -> Int {
    let segment = tiling.tilesPerSegment
    let floats = tiling.tileStep * (tiling.inputBlocks + tiling.outputBlocks) * segment
    let fitting = max((fewestTiles + segment - 1) / segment, taskFloats / floats)
    return max(1, min(fitting, tiling.segmentCount / (2 * threads)))
  }

  // MARK: - In place

  /// Planes of room that a run in place needs before its input; 0 where it cannot be or saves little.
  ///
  /// Layers of tiles are done one slab after the other. A slab reads from one plane before its first
  /// output on, so what it writes has to lie as many planes behind as it has, and one more.
  static func slackPlanes(
    _ geometry: ConvolutionGeometry, tileSizes: WinogradTileSizes, kernels: Kernels, threads: Int,
    overwriting: Overwriting
  ) -> Int {
    let tiling = WinogradTiling(
      geometry, tileSizes: tileSizes, kernels: kernels)
    guard geometry.input == geometry.output, geometry.inputChannels == geometry.outputChannels,
      tiling.inputBlocks * TensorLayout.blockWidth * geometry.input.count
        >= overwriting.smallestActivation
    else { return 0 }
    let tasks =
      tiling.tiles.y * tiling.segmentsPerRow / segmentsPerTask(tiling, threads: threads)
    let layers = max(1, (overwriting.tasksPerThread * threads + tasks - 1) / max(tasks, 1))
    let planes = layers * tileSizes.outputs.z + geometry.padding.z
    return planes <= geometry.input.z / 3 ? planes : 0
  }

  /// Segments of the slabs that are done one after the other; all at once where output and input lie
  /// apart.
  private func slabs(_ feature: Feature, _ output: Activation) -> [Range<Int>] {
    guard feature.activation.reservation == output.reservation else {
      return [0..<tiling.segmentCount]
    }
    let shift = feature.activation.slackPlanes - output.slackPlanes
    let layers = (shift - tiling.geometry.padding.z) / tiling.tileSizes.outputs.z
    let layer = tiling.tiles.y * tiling.segmentsPerRow
    return stride(from: 0, to: tiling.tiles.z, by: layers).map {
      $0 * layer..<min($0 + layers, tiling.tiles.z) * layer
    }
  }

  // MARK: - Running

  /// From a channel block's tiles to the next one's.
  private var blockStep: Int { segmentsPerTask * tiling.tilesPerSegment * tiling.tileStep }

  var workspaceCount: Int { (tiling.inputBlocks + tiling.outputBlocks) * blockStep }

  var momentGroups: Int { tiling.segmentCount }

  func run(
    _ source: ConvolutionSource, into output: Activation,
    moments: UnsafeMutablePointer<nn_moments>?, context: RunContext
  ) {
    guard case .feature(let feature) = source else {
      preconditionFailure("AlgorithmChoice gives the network's input to DirectConvolution")
    }
    let transformedWeights: UnsafePointer<Float>
    if let kept {
      transformedWeights = kept.pointer
    } else {
      let target = context.arena[context.scratch]
      weights.withSource(room: target + weights.count, team: context.team) { source in
        weights.transform(source, into: target, team: context.team)
      }
      transformedWeights = UnsafePointer(target)
    }
    for slab in slabs(feature, output) {
      context.team.forEach((slab.count + segmentsPerTask - 1) / segmentsPerTask) { task, worker in
        let first = slab.lowerBound + task * segmentsPerTask
        let segments = first..<min(first + segmentsPerTask, slab.upperBound)
        let tiles = tiling.tiles(ofSegments: segments)
        let transformed = context.workspace(of: worker)
        let products = transformed + tiling.inputBlocks * blockStep
        func place(_ segment: Int, _ block: Int) -> Int {
          block * blockStep + tiling.offset(ofSegment: segment, from: first)
        }
        for block in 0..<tiling.inputBlocks {
          for segment in segments {
            tiling.transformInput(
              feature, block: block, segment: segment,
              into: transformed + place(segment, block), context: context)
          }
        }
        multiply(transformed, tiles.count, by: transformedWeights, into: products)
        for block in 0..<tiling.outputBlocks {
          for segment in segments {
            tiling.transformOutput(
              products + place(segment, block), block: block, segment: segment, into: output,
              moments: moments.map { $0 + block * momentGroups + segment }, context: context)
          }
        }
      }
    }
  }

  /// For every point a matrix product: tiles × input channels times input × output channels.
  private func multiply(
    _ transformed: UnsafePointer<Float>, _ count: Int, by transformedWeights: UnsafePointer<Float>,
    into products: UnsafeMutablePointer<Float>
  ) {
    weightPoints.withUnsafeBufferPointer { weightPoints in
      guard let weightPoints = weightPoints.baseAddress else { return }
      var job = nn_winograd_products(
        source: transformed, source_block_step: blockStep, source_tile_step: tiling.tileStep,
        weights: transformedWeights,
        weight_point_step: weights.pointStep(blocks: weights.outputBlocks),
        weight_block_step: weights.blockStep, weight_points: weightPoints, target: products,
        target_block_step: blockStep, target_tile_step: tiling.tileStep,
        points: Int32(tiling.tileSizes.points.count), tiles: Int32(count),
        input_blocks: Int32(tiling.inputBlocks), output_blocks: Int32(tiling.outputBlocks))
      tiling.kernels.pointee.winograd_products(&job)
    }
  }
}
