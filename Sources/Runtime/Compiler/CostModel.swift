// SPDX-License-Identifier: Apache-2.0
internal import CKernels

/// What a layer costs, in multiply-adds of the products: only ratios matter.
///
/// Its constants are times measured on Zen 4 and Zen 5 with AVX-512, divided by that of a multiply-add; what
/// moves data rather than multiplies weighs less where a multiply-add takes longer, so it is scaled by
/// the vectors' length.
struct CostModel {
  private let geometry: ConvolutionGeometry
  /// Cases that run together.
  private let cases: Int
  private let caches: Caches
  private let movement: Double

  init(_ geometry: ConvolutionGeometry, cases: Int = 1, kernels: Kernels, caches: Caches) {
    self.geometry = geometry
    self.cases = cases
    self.caches = caches
    movement = Double(kernels.pointee.lanes) / 16
  }

  private var inputs: Double { Double(16 * geometry.inputs.count) }
  private var outputs: Double { Double((geometry.outputChannels + 15) / 16 * 16) }

  /// In bf16 twice the multiply-adds take the time of one, less what packing costs, but input channels
  /// are padded.
  func direct(isBf16: Bool) -> Double {
    let perOutput = isBf16 ? 0.75 * inputs : 1.2 * Double(geometry.inputChannels)
    return perOutput * Double(cases * geometry.positions.count * geometry.kernel.count) * outputs
  }

  /// Of all tiles.
  private func points(_ tileSizes: WinogradTileSizes) -> Double {
    Double(cases * tileSizes.tiles(geometry.positions).count * tileSizes.points.count)
  }

  /// Products and both transforms, tiles staying in the cache in between.
  private func tiles(_ tileSizes: WinogradTileSizes) -> Double {
    points(tileSizes) * (1.1 * inputs * outputs + movement * (20 * inputs + 15 * outputs))
  }

  private func weights(_ tileSizes: WinogradTileSizes) -> Double {
    Double(tileSizes.weightPoints.count) * inputs * outputs
  }

  /// Every task reads the whole transformed weight, which may have to be transformed first.
  func fused(_ tileSizes: WinogradTileSizes, tasks: Int) -> Double {
    let weights = weights(tileSizes)
    let isKept = weights <= Double(WinogradConvolution.largestKept)
    let reading = weights > Double(caches.thirdLevel) / 2 ? 20.0 : 1
    return tiles(tileSizes) + movement * weights * (reading * Double(tasks) + (isKept ? 0 : 27))
  }

  /// Every batch transforms the weight anew, piece by piece in the cache, and tiles go through the third-level cache.
  func staged(_ tileSizes: WinogradTileSizes, batches: Int) -> Double {
    staged(tileSizes, batches: batches, weight: 14, transfer: 42)
  }

  /// The same where the weight is trained, with the constants of before transforms fetched ahead: with the others 128
  /// channels took large tiles, whose gradients were off by 2·10⁻⁴.
  func trained(_ tileSizes: WinogradTileSizes, batches: Int) -> Double {
    staged(tileSizes, batches: batches, weight: 27, transfer: 24)
  }

  private func staged(
    _ tileSizes: WinogradTileSizes, batches: Int, weight: Double, transfer: Double
  ) -> Double {
    tiles(tileSizes)
      + movement
      * (weight * weights(tileSizes) * Double(batches)
        + transfer * points(tileSizes) * (inputs + outputs))
  }
}
