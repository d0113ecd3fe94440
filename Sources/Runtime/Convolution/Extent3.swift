// SPDX-License-Identifier: Apache-2.0
/// Sizes along `z`, `y` and `x`; two-dimensional networks have one plane.
struct Extent3: Sendable, Equatable {
  var z: Int
  var y: Int
  var x: Int

  init(z: Int, y: Int, x: Int) {
    self.z = z
    self.y = y
    self.x = x
  }

  /// From two or three sizes, `[y, x]` or `[z, y, x]`.
  init(_ sizes: [Int]) {
    let padded = sizes.count == 2 ? [1] + sizes : sizes
    precondition(padded.count == 3)
    self.init(z: padded[0], y: padded[1], x: padded[2])
  }

  /// From two or three paddings: a two-dimensional network has none along `z`.
  init(padding: [Int]) {
    self = Extent3(padding)
    if padding.count == 2 { z = 0 }
  }

  var count: Int { z * y * x }

  /// Voxels of a slice: of a plane, or of a row where there is one plane only.
  var sliceCount: Int { z > 1 ? y * x : x }
  var slices: Int { z > 1 ? z : y }

  /// Two or three sizes, as a network of that dimension has them.
  func sizes(dimension: Int) -> [Int] { dimension == 2 ? [y, x] : [z, y, x] }

  func combined(with other: Extent3, _ operation: (Int, Int) -> Int) -> Extent3 {
    Extent3(z: operation(z, other.z), y: operation(y, other.y), x: operation(x, other.x))
  }
}
