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

  func cheapest(_ geometry: ConvolutionGeometry) -> ConvolutionMethod {
    let isBf16 = target.bf16 != nil
    let model = CostModel(geometry, kernels: target.kernels, caches: .found)
    var best = (
      method: isBf16 ? ConvolutionMethod.directBf16 : .direct, cost: model.direct(isBf16: isBf16)
    )
    guard !target.isDirectOnly else { return best.method }
    for tileSizes in WinogradTileSizes.all where tileSizes.fits(geometry) {
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
