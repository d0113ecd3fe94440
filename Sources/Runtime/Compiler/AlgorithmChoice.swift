// SPDX-License-Identifier: Apache-2.0
/// Chooses how convolutions are computed. The one place that knows all ways.
struct AlgorithmChoice: Sendable {
  let target: Target

  /// Annotates every convolution with the method that costs least.
  func apply(to layers: [Layer], shapes: Shapes) -> [Layer] {
    layers.map { layer in
      guard case .convolution = layer.operation else { return layer }
      var layer = layer
      layer.method = layer.readsNetworkInput ? .direct : cheapest(shapes.geometry(of: layer))
      return layer
    }
  }

  /// The tile sizes for a convolution whose weight training changes, so that no form of it is kept, where they cost less
  /// than direct convolution, there and back: the smallest ones, whose sums lose least.
  func tileSizesOfTrained(_ geometry: ConvolutionGeometry) -> WinogradTileSizes? {
    // Small layers take no time worth saving: there plain sums come closer to PyTorch's.
    guard !target.isDirectOnly,
      min(geometry.inputChannels, geometry.outputChannels) >= Self.fewestTrainedChannels
    else { return nil }
    let model = CostModel(geometry, kernels: target.kernels, caches: .found)
    return WinogradTileSizes.all.first { tileSizes in
      guard tileSizes.fits(geometry), tileSizes.hasGradient else { return false }
      let tiling = WinogradTiling(geometry, tileSizes: tileSizes, kernels: target.kernels)
      // With fewer, the weight's transforms take what the products save.
      guard tiling.tiles.count >= Self.fewestTrainedTiles else { return false }
      let batches = StagedWinogradConvolution.batches(tiling)
      return model.staged(tileSizes, batches: batches) < model.direct(isBf16: false)
    }
  }

  private static let fewestTrainedTiles = 24
  private static let fewestTrainedChannels = 64

  func cheapest(_ geometry: ConvolutionGeometry) -> ConvolutionMethod {
    let isBf16 = target.bf16 != nil
    let model = CostModel(geometry, kernels: target.kernels, caches: .found)
    var best = (
      method: isBf16 ? ConvolutionMethod.directBf16 : .direct, cost: model.direct(isBf16: isBf16)
    )
    guard !target.isDirectOnly else { return best.method }
    for tileSizes in WinogradTileSizes.all
    where tileSizes.fits(geometry) && !tileSizes.isForTraining {
      let tiling = WinogradTiling(geometry, tileSizes: tileSizes, kernels: target.kernels)
      let fused = model.fused(
        tileSizes,
        tasks: tiling.segmentCount
          / WinogradConvolution.segmentsPerTask(tiling, threads: target.threads))
      if fused < best.cost { best = (.fused(tileSizes), fused) }
      let staged = model.staged(tileSizes, batches: StagedWinogradConvolution.batches(tiling))
      if staged < best.cost { best = (.staged(tileSizes), staged) }
    }
    return best.method
  }
}
