// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Cosines and sines of the rotary position embedding, `[token][head width / 2]`, of a grid whose last axis
/// runs fastest.
///
/// Source: timm's `RotaryEmbeddingCat` with `in_pixels: false` and `feat_shape` = `ref_feat_shape`, as
/// Primus uses it: every axis has a third of the pairs, of frequencies `10000^(−j / bands)`.
struct RotaryTable: Sendable {
  let cosines: [Float]
  let sines: [Float]

  /// `headWidth` is a multiple of six.
  init(grid: Extent3, headWidth: Int) {
    precondition(headWidth % 6 == 0)
    let bands = headWidth / 6
    let frequencies = (0..<bands).map { pow(10_000, -Double($0) / Double(bands)) }
    var (cosines, sines): ([Float], [Float]) = ([], [])
    cosines.reserveCapacity(grid.count * 3 * bands)
    sines.reserveCapacity(grid.count * 3 * bands)
    for token in 0..<grid.count {
      let position = [
        token / (grid.y * grid.x), token / grid.x % grid.y, token % grid.x,
      ]
      for axis in position {
        for frequency in frequencies {
          cosines.append(Float(cos(Double(axis) * frequency)))
          sines.append(Float(sin(Double(axis) * frequency)))
        }
      }
    }
    (self.cosines, self.sines) = (cosines, sines)
  }
}
