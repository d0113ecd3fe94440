// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// How much every voxel of a window counts: nnU-Net's `compute_gaussian` with a largest value of 10, in
/// half precision.
struct GaussianWeights: Sendable {
  /// The bits of half-precision numbers, row-major.
  let bits: [UInt16]

  /// Weights for windows of `tile`'s sizes.
  init(tile: [Int]) {
    let axes = tile.map(Self.axis)
    var products = [1.0]
    for axis in axes { products = products.flatMap { product in axis.map { product * $0 } } }
    let unit = (products.max() ?? 1) / 10
    // PyTorch rounds twice.
    var bits = products.map { Float16(Float($0 / unit)).bitPattern }
    // A weight of zero would leave voxels that only one window reaches without a value.
    let smallest = bits.lazy.filter { $0 != 0 }.min() ?? 0
    for index in bits.indices where bits[index] == 0 { bits[index] = smallest }
    self.bits = bits
  }

  /// scipy's `gaussian_filter` of a single one in the middle, with a standard deviation of an eighth of
  /// the size, cut off at four of them.
  private static func axis(_ size: Int) -> [Double] {
    let deviation = Double(size) / 8
    let radius = Int(4 * deviation + 0.5)
    func weight(_ distance: Int) -> Double {
      exp(-0.5 / (deviation * deviation) * Double(distance * distance))
    }
    let sum = (-radius...radius).reduce(0) { $0 + weight($1) }
    return (0..<size).map { place in
      let distance = place - size / 2
      return abs(distance) <= radius ? weight(distance) / sum : 0
    }
  }
}
