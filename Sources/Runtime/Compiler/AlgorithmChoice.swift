// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import Network
internal import SWTFormat

/// Chooses how convolutions are computed. The one place that knows all ways.
struct AlgorithmChoice: Sendable {
  let target: Target

  /// Annotates every convolution with the method that costs least.
  ///
  /// What is computed before a norm over few voxels takes the tiles that round least: where these voxels happen to be
  /// close to each other the norm divides by little, and makes the errors of all layers before it larger. So does what
  /// is computed before a norm of very many features: of these one is the worst, and such networks are deep.
  func apply(to layers: [Layer], shapes: Shapes) -> [Layer] {
    let lastEnlarging = layers.lastIndex { layer in
      guard case .convolution = layer.operation, case .norm(let norm, _) = layer.affine,
        norm.running == nil
      else { return false }
      let geometry = shapes.geometry(of: layer)
      let voxels = geometry.positions.count
      return (2..<Self.fewVoxels).contains(voxels)
        || voxels > 1 && geometry.outputChannels > Self.manyFeatures
    }
    return layers.enumerated().map { index, layer in
      guard case .convolution = layer.operation else { return layer }
      var layer = layer
      let isEnlarged = lastEnlarging.map { index <= $0 } ?? false
      let geometry = shapes.geometry(of: layer)
      layer.method =
        layer.readsNetworkInput
        ? ofInput(geometry, roundsLittle: isEnlarged)
        : cheapest(geometry, roundsLittle: isEnlarged)
      return layer
    }
  }

  /// Eight, 2×2×2, enlarge errors little, and nnU-Net's own networks have four along every axis.
  private static let fewVoxels = 8
  /// More have STU-Net L and H, of the networks that are known. L's last stage of 128×128×128 is off by 1.0e-4 with
  /// large tiles, by 4e-5 with small ones.
  private static let manyFeatures = 512

  /// The tile sizes for a convolution whose weight training changes, so that no form of it is kept, where they cost less
  /// than direct convolution.
  ///
  /// - Parameters:
  ///   - cases: how many run together: the weight is transformed once for all.
  ///   - isGradient: whether for the weight's gradient, which has no kernels for large tiles of stride 2.
  ///   - roundsLittle: whether only small tiles are taken.
  func tileSizesOfTrained(
    _ geometry: ConvolutionGeometry, cases: Int, isGradient: Bool, roundsLittle: Bool = false
  ) -> WinogradTileSizes? {
    guard !target.isDirectOnly,
      min(geometry.inputChannels, geometry.outputChannels) >= Self.fewestTrainedChannels,
      Double(cases) * geometry.flops / 2 >= target.fewestTrainedProducts
    else { return nil }
    let model = CostModel(geometry, cases: cases, kernels: target.kernels, caches: .found)
    var best: (tileSizes: WinogradTileSizes?, cost: Double) = (nil, model.direct(isBf16: false))
    for tileSizes in WinogradTileSizes.all where tileSizes.fits(geometry) {
      guard tileSizes.hasGradient || !isGradient, tileSizes.isSmall || !roundsLittle else {
        continue
      }
      let tiling = WinogradTiling(geometry, tileSizes: tileSizes, kernels: target.kernels)
      // With fewer, the weight's transforms take what the products save.
      guard cases * tiling.tiles.count >= Self.fewestTrainedTiles else { continue }
      let batches = StagedWinogradConvolution.batches(tiling, cases: cases)
      let cost = model.trained(tileSizes, batches: batches)
      if cost < best.cost { best = (tileSizes, cost) }
    }
    return best.tileSizes
  }

  private static let fewestTrainedTiles = 24
  private static let fewestTrainedChannels = 64

  /// Whether a convolution whose weight training changes goes tap by tap, where it is computed as it is defined: where the
  /// maps of all cases stay in the second-level cache, a block of channels at a time.
  func takesTaps(_ geometry: ConvolutionGeometry, cases: Int) -> Bool {
    if let takesTaps = target.takesTaps { return takesTaps }
    let perOutput = TensorLayout.blockWidth * Int(target.kernels.pointee.direct_blocks)
    let floats =
      TensorLayout.blockWidth * geometry.input.count + perOutput * geometry.positions.count
    return cases * floats <= Caches.found.secondLevel / 2
  }

  /// Of the network's input, which has few channels.
  private func ofInput(
    _ geometry: ConvolutionGeometry, roundsLittle: Bool
  ) -> ConvolutionMethod {
    !roundsLittle && !target.isDirectOnly && WinogradRowConvolution.fits(geometry) ? .rows : .direct
  }

  /// - Parameter roundsLittle: whether only small tiles are taken, whose numbers are nearer to each other.
  func cheapest(
    _ geometry: ConvolutionGeometry, roundsLittle: Bool = false
  ) -> ConvolutionMethod {
    let isBf16 = target.bf16 != nil
    let model = CostModel(geometry, kernels: target.kernels, caches: .found)
    var best = (
      method: isBf16 ? ConvolutionMethod.directBf16 : .direct, cost: model.direct(isBf16: isBf16)
    )
    guard !target.isDirectOnly else { return best.method }
    for tileSizes in WinogradTileSizes.all where tileSizes.fits(geometry) {
      guard roundsLittle ? tileSizes.isSmall : !tileSizes.isSmallAndStrided else { continue }
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
