internal import CKernels

/// Chooses how a layer is computed. The one place that knows all algorithms.
struct AlgorithmChoice: Sendable {
  let kernels: Kernels
  let threads: Int
  var overwriting = Overwriting()
  /// Direct convolution in bf16 where these are given and it is the fastest.
  var bf16: nn_bf16_kernels?
  /// Forces direct convolution, for comparisons.
  var isDirectOnly = false

  private enum Way {
    case direct
    case fused(WinogradTileSizes)
    case staged(WinogradTileSizes)
  }

  func algorithm(
    for geometry: ConvolutionGeometry, source: ConvolutionSource, weights: PackedWeights
  ) throws(RuntimeError) -> any ConvolutionAlgorithm {
    guard case .feature = source else { return direct(for: geometry, weights: weights) }
    switch cheapest(for: geometry) {
    case .direct:
      guard let bf16 else { return direct(for: geometry, weights: weights) }
      return try DirectConvolution(
        geometry, weights: weights, bf16: bf16, kernels: kernels, threads: threads)
    case .fused(let tileSizes):
      return try WinogradConvolution(
        geometry, tileSizes: tileSizes, weights: weights, kernels: kernels, threads: threads)
    case .staged(let tileSizes):
      return StagedWinogradConvolution(
        geometry, tileSizes: tileSizes, weights: weights, kernels: kernels)
    }
  }

  /// In f32, whatever the precision.
  func direct(for geometry: ConvolutionGeometry, weights: PackedWeights) -> DirectConvolution {
    DirectConvolution(
      geometry, weights: weights, kernels: kernels, threads: threads)
  }

  /// Planes of room that a convolution needs before its input to write over it; 0 where it cannot, or
  /// where little would be saved.
  func slackPlanes(for geometry: ConvolutionGeometry) -> Int {
    guard case .fused(let tileSizes) = cheapest(for: geometry) else { return 0 }
    return WinogradConvolution.slackPlanes(
      geometry, tileSizes: tileSizes, kernels: kernels, threads: threads, overwriting: overwriting
    )
  }

  private func cheapest(for geometry: ConvolutionGeometry) -> Way {
    let model = CostModel(geometry, kernels: kernels, caches: .found)
    var best = (way: Way.direct, cost: model.direct(isBf16: bf16 != nil))
    guard !isDirectOnly else { return best.way }
    for tileSizes in WinogradTileSizes.all where tileSizes.fits(geometry) {
      let tiling = WinogradTiling(
        geometry, tileSizes: tileSizes, kernels: kernels)
      let fused = model.fused(
        tileSizes,
        tasks: tiling.segmentCount
          / WinogradConvolution.segmentsPerTask(tiling, threads: threads))
      if fused < best.cost { best = (.fused(tileSizes), fused) }
      let staged = model.staged(tileSizes, batches: StagedWinogradConvolution.batches(tiling))
      if staged < best.cost { best = (.staged(tileSizes), staged) }
    }
    return best.way
  }
}

/// When a convolution writes over its input.
struct Overwriting: Sendable {
  /// Activations from this size on, in floats.
  var smallestActivation = 8 << 20
  /// So many tasks at least between two waits, for all threads to end at about the same time.
  var tasksPerThread = 24
}
