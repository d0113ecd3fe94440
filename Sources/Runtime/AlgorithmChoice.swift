/// Chooses how a layer is computed. The one place that knows all algorithms.
struct AlgorithmChoice: Sendable {
  let instructionSet: InstructionSet
  let threads: Int
  var overwriting = Overwriting()
  /// Forces direct convolution, for comparisons.
  var isDirectOnly = false

  func algorithm(
    for geometry: ConvolutionGeometry, source: ConvolutionSource, weights: PackedWeights
  ) throws(RuntimeError) -> any ConvolutionAlgorithm {
    if case .feature = source, !isDirectOnly, let mix = Self.mix(for: geometry) {
      return WinogradConvolution(
        geometry, mix: mix,
        weights: try WinogradWeights(weights, mix: mix, instructionSet: instructionSet),
        instructionSet: instructionSet, threads: threads)
    }
    return direct(for: geometry, weights: weights)
  }

  func direct(for geometry: ConvolutionGeometry, weights: PackedWeights) -> DirectConvolution {
    DirectConvolution(
      geometry, weights: weights, instructionSet: instructionSet, threads: threads)
  }

  /// Planes of room that a convolution needs before its input to write over it; 0 where it cannot, or
  /// where little would be saved.
  func slackPlanes(for geometry: ConvolutionGeometry) -> Int {
    guard !isDirectOnly, let mix = Self.mix(for: geometry) else { return 0 }
    return WinogradConvolution.slackPlanes(
      geometry, mix: mix, instructionSet: instructionSet, threads: threads, overwriting: overwriting
    )
  }

  /// The mix of tile sizes that costs least, or `nil` where direct convolution does.
  private static func mix(for geometry: ConvolutionGeometry) -> WinogradMix? {
    let direct = CostModel(geometry).direct
    let best = WinogradMix.all.filter { $0.fits(geometry) }
      .map { (mix: $0, cost: CostModel(geometry).cost(of: $0)) }
      .min { $0.cost < $1.cost }
    guard let best, best.cost < direct else { return nil }
    return best.mix
  }
}

/// When a convolution writes over its input.
struct Overwriting: Sendable {
  /// Activations from this size on, in floats.
  var smallestActivation = 8 << 20
  /// So many tasks at least between two waits, for all threads to end at about the same time.
  var tasksPerThread = 24
}

/// What a layer costs, in multiply-adds of one channel block by one: only ratios matter.
struct CostModel {
  private let geometry: ConvolutionGeometry

  init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

  private var inputs: Double { Double((geometry.inputChannels + 15) / 16 * 16) }
  private var outputs: Double { Double((geometry.outputChannels + 15) / 16 * 16) }

  var direct: Double {
    Double(geometry.output.count * geometry.kernel.count) * Double(geometry.inputChannels) * outputs
  }

  /// Products, transforms (about 7 operations a point and channel going in, 5 coming out, each
  /// slower than a multiply-add of the products), and the transformed weights: they have to come from
  /// memory, and they have to be held there, so that a large weight needs many tiles to be worth it.
  func cost(of mix: WinogradMix) -> Double {
    let tiles = Double(mix.tiles(geometry.output).count)
    let points = Double(mix.points.count)
    let products = 1.15 * tiles * points * inputs * outputs
    let transforms = tiles * points * (14 * inputs + 10 * outputs)
    let weights = 150 * Double(mix.weightPoints.count) * inputs * outputs
    return products + transforms + weights
  }
}
