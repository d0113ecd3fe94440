internal import CKernels

/// Convolution with fewer multiplications: tiles are transformed, multiplied point by point, and
/// transformed back, a block of tiles at a time so that everything between input and output stays in
/// the second-level cache.
///
/// Sources: Lavin & Gray 2016; Jia et al., "Optimizing N-dimensional, Winograd-based convolution for
/// manycore CPUs", PPoPP 2018; Gelashvili et al., "L3 fusion", 2019.
struct WinogradConvolution: ConvolutionAlgorithm {
  private static let block = Int(NN_BLOCK)

  private let geometry: ConvolutionGeometry
  private let mix: WinogradMix
  private let instructionSet: InstructionSet
  private let threads: Int
  private let kernels: UnsafePointerBox
  private let weights: WinogradWeights
  private let tiles: Extent3
  private let inputBlocks: Int
  private let outputBlocks: Int
  /// Tiles per task; some register tiles, or half of one.
  private let tilesPerTask: Int
  /// Floats between two transformed tiles; one cache line more than they need, since tiles at a power
  /// of two's distance would fight for the same cache sets.
  private let tileStep: Int
  private let weightPoints: [Int32]

  var name: String { mix.name }
  var weightByteCount: Int { weights.keptByteCount }
  var transientWeightCount: Int { weights.transientCount }

  func prepare() { weights.prepare(threads: threads) }

  func resized(to input: Extent3) -> any ConvolutionAlgorithm {
    var geometry = geometry
    geometry.input = input
    return WinogradConvolution(
      geometry, mix: mix, weights: weights, instructionSet: instructionSet, threads: threads)
  }

  init(
    _ geometry: ConvolutionGeometry, mix: WinogradMix, weights: WinogradWeights,
    instructionSet: InstructionSet, threads: Int
  ) {
    self.geometry = geometry
    self.mix = mix
    self.weights = weights
    self.instructionSet = instructionSet
    self.threads = threads
    kernels = UnsafePointerBox(instructionSet.kernels)
    tiles = mix.tiles(geometry.output)
    inputBlocks = (geometry.inputChannels + Self.block - 1) / Self.block
    outputBlocks = (geometry.outputChannels + Self.block - 1) / Self.block
    tilesPerTask = Self.tilesPerTask(
      geometry, mix: mix, instructionSet: instructionSet, threads: threads)
    tileStep = (mix.points.count + 1) * Self.block
    weightPoints = mix.weightPointOfPoint.map(Int32.init)
  }

  /// Half of the largest register tile: it halves what a task holds where even so few tiles outgrow
  /// the cache.
  private static let fewestTiles = 7

  /// Floats that the tiles of a task should fit: about a second-level cache.
  private static let cacheFloats = 192 * 1024

  /// The more tiles share a task, the less often the weights are read, but what they share has to
  /// stay in the cache.
  private static func tilesPerTask(
    _ geometry: ConvolutionGeometry, mix: WinogradMix, instructionSet: InstructionSet, threads: Int
  ) -> Int {
    let tiles = mix.tiles(geometry.output).count
    let unit = min(Int(instructionSet.kernels.pointee.direct_voxels), fewestTiles)
    let channels = [geometry.inputChannels, geometry.outputChannels]
      .reduce(0) { $0 + ($1 + block - 1) / block * block }
    let fitting = max(1, cacheFloats / (mix.points.count * channels) / unit)
    let perThread = max(1, tiles / (threads * unit))
    let wanted = unit * max(1, min(fitting, perThread))
    // Tasks of nearly equal size.
    let tasks = max((tiles + wanted - 1) / wanted, min(threads, tiles))
    return (tiles + tasks - 1) / tasks
  }

  // MARK: - In place

  /// Planes of room that a run in place needs before its input; 0 where it cannot be or saves little.
  ///
  /// Layers of tiles are done one slab after the other. A slab reads from one plane before its first
  /// output on, so what it writes has to lie as many planes behind as it has, and one more.
  static func slackPlanes(
    _ geometry: ConvolutionGeometry, mix: WinogradMix, instructionSet: InstructionSet, threads: Int,
    overwriting: Overwriting
  ) -> Int {
    let blocks = (geometry.inputChannels + block - 1) / block
    guard geometry.input == geometry.output, geometry.inputChannels == geometry.outputChannels,
      blocks * block * geometry.input.count >= overwriting.smallestActivation
    else { return 0 }
    let tiles = mix.tiles(geometry.output)
    let tasks =
      tiles.y * tiles.x
      / tilesPerTask(geometry, mix: mix, instructionSet: instructionSet, threads: threads)
    let layers = max(1, (overwriting.tasksPerThread * threads + tasks - 1) / max(tasks, 1))
    let planes = layers * mix.outputs.z + geometry.padding.z
    return planes <= geometry.input.z / 3 ? planes : 0
  }

  /// Tiles of the slabs that are done one after the other; all at once where output and input lie
  /// apart.
  private func slabs(_ feature: Feature, _ output: Activation) -> [Range<Int>] {
    guard feature.activation.reservation == output.reservation else { return [0..<tiles.count] }
    let shift = feature.activation.slackPlanes - output.slackPlanes
    let layers = (shift - geometry.padding.z) / mix.outputs.z
    return stride(from: 0, to: tiles.z, by: layers).map {
      $0 * tiles.y * tiles.x..<min($0 + layers, tiles.z) * tiles.y * tiles.x
    }
  }

  var workspaceCount: Int {
    (inputBlocks + outputBlocks) * tilesPerTask * tileStep
  }

  func run(_ source: ConvolutionSource, into output: Activation, context: RunContext) {
    guard case .feature(let feature) = source else {
      preconditionFailure("AlgorithmChoice gives the network's input to DirectConvolution")
    }
    let weights = weights.pointer(context)
    for slab in slabs(feature, output) {
      context.team.forEach((slab.count + tilesPerTask - 1) / tilesPerTask) { task, worker in
        let first = slab.lowerBound + task * tilesPerTask
        let range = first..<min(first + tilesPerTask, slab.upperBound)
        let transformed = context.workspace(of: worker)
        let products = transformed + inputBlocks * tilesPerTask * tileStep
        transformInput(feature, range, into: transformed, context: context)
        multiply(transformed, range.count, by: weights, into: products)
        transformOutput(products, range, into: output, context: context)
      }
    }
  }

  private func position(of tile: Int) -> Extent3 {
    Extent3(z: tile / (tiles.y * tiles.x), y: tile / tiles.x % tiles.y, x: tile % tiles.x)
  }

  // MARK: - Input

  private func transformInput(
    _ feature: Feature, _ range: Range<Int>, into transformed: UnsafeMutablePointer<Float>,
    context: RunContext
  ) {
    let source = UnsafePointer(context.arena[feature.activation.range])
    let points = mix.points
    withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: points.z * points.y) {
      rows in
      var tile = range.lowerBound
      while tile < range.upperBound {
        let position = position(of: tile)
        let count = min(tiles.x - position.x, range.upperBound - tile)
        for block in 0..<inputBlocks {
          let plane = source + block * feature.activation.blockStep
          setRows(rows, plane, position)
          guard let start = rows.baseAddress else { return }
          var job = nn_winograd_input(
            mix: mix.code, rows: UnsafePointer(start), width: Int32(geometry.input.x),
            first_x: Int32(position.x * mix.inputStep.x - geometry.padding.x), tiles: Int32(count),
            pending: feature.pending.kernel(block: block, in: context.arena),
            target: transformed + (block * tilesPerTask + tile - range.lowerBound) * tileStep,
            tile_step: tileStep)
          kernels.pointee.winograd_input(&job)
        }
        tile += count
      }
    }
  }

  /// The rows that a tile row reads: `z × y`, `nil` outside the input.
  private func setRows(
    _ rows: UnsafeMutableBufferPointer<UnsafePointer<Float>?>, _ plane: UnsafePointer<Float>,
    _ position: Extent3
  ) {
    let input = geometry.input
    let firstZ = position.z * mix.inputStep.z - geometry.padding.z
    let firstY = position.y * mix.inputStep.y - geometry.padding.y
    for z in 0..<mix.points.z {
      for y in 0..<mix.points.y {
        let isInside = (0..<input.z).contains(firstZ + z) && (0..<input.y).contains(firstY + y)
        rows[z * mix.points.y + y] =
          isInside ? plane + ((firstZ + z) * input.y + firstY + y) * input.x * Self.block : nil
      }
    }
  }

  // MARK: - Products

  /// For every point a matrix product: tiles × input channels times input × output channels.
  private func multiply(
    _ transformed: UnsafeMutablePointer<Float>, _ count: Int, by weights: UnsafePointer<Float>,
    into products: UnsafeMutablePointer<Float>
  ) {
    weightPoints.withUnsafeBufferPointer { weightPoints in
      guard let weightPoints = weightPoints.baseAddress else { return }
      var job = nn_winograd_products(
        source: transformed, source_block_step: tilesPerTask * tileStep,
        source_tile_step: tileStep, weights: weights,
        weight_point_step: self.weights.pointStep, weight_block_step: self.weights.blockStep,
        weight_points: weightPoints, target: products,
        target_block_step: tilesPerTask * tileStep, target_tile_step: tileStep,
        points: Int32(mix.points.count),
        tiles: Int32(count), input_blocks: Int32(inputBlocks), output_blocks: Int32(outputBlocks))
      kernels.pointee.winograd_products(&job)
    }
  }

  // MARK: - Output

  private func transformOutput(
    _ products: UnsafeMutablePointer<Float>, _ range: Range<Int>, into output: Activation,
    context: RunContext
  ) {
    let target = context.arena[output.range]
    let extent = output.extent
    for block in 0..<outputBlocks {
      for tile in range {
        let position = position(of: tile)
        let (z, y, x) = (
          position.z * mix.outputs.z, position.y * mix.outputs.y, position.x * mix.outputs.x
        )
        var job = nn_winograd_output(
          mix: mix.code,
          source: products + (block * tilesPerTask + tile - range.lowerBound) * tileStep,
          target: target + block * output.blockStep
            + ((z * extent.y + y) * extent.x + x) * Self.block,
          plane_step: extent.y * extent.x * Self.block, row_step: extent.x * Self.block,
          count_z: Int32(min(mix.outputs.z, extent.z - z)),
          count_y: Int32(min(mix.outputs.y, extent.y - y)),
          count_x: Int32(min(mix.outputs.x, extent.x - x)))
        kernels.pointee.winograd_output(&job)
      }
    }
  }
}
