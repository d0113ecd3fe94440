// SPDX-License-Identifier: Apache-2.0
/// A permutation of a stack's axes with some of them mirrored.
struct AxisTurn: Sendable, Equatable {
  /// For x, y and z of the result: the axis of the stack (0 is i).
  let axes: [Int]
  /// For x, y and z of the result: whether that axis runs backwards.
  let isFlipped: [Bool]

  static let identity = AxisTurn(axes: [0, 1, 2], isFlipped: [false, false, false])

  init(axes: [Int], isFlipped: [Bool]) {
    self.axes = axes
    self.isFlipped = isFlipped
  }

  /// The turn after which the axes point as nearly as they can where `code` says.
  init(nearest code: AxisCode, to directions: [[Double]]) {
    let permutations = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    let cosine = { (axis: Int, target: Int) in directions[axis][code.directions[target]] }
    func agreement(_ axes: [Int]) -> Double {
      (0..<3).reduce(0) { $0 + abs(cosine(axes[$1], $1)) }
    }
    // Of equals the last, as the reference has it.
    var best = permutations[0]
    for axes in permutations.dropFirst() where agreement(axes) >= agreement(best) { best = axes }
    axes = best
    isFlipped = (0..<3).map { (cosine(best[$0], $0) < 0) != code.isOpposite[$0] }
  }

  /// Sizes or spacings of i, j and k as those of x, y and z.
  func turned<Element>(_ values: [Element]) -> [Element] { axes.map { values[$0] } }

  /// Where the first voxel of the stack goes in the result, and how far its axes step there.
  ///
  /// - Parameter sizes: of i, j and k.
  func layout(of sizes: [Int]) -> (start: Int, strides: [Int]) {
    var start = 0
    var strides = [0, 0, 0]
    var stride = 1
    for target in 0..<3 {
      let size = sizes[axes[target]]
      strides[axes[target]] = isFlipped[target] ? -stride : stride
      if isFlipped[target] { start += (size - 1) * stride }
      stride *= size
    }
    return (start, strides)
  }

  /// The affine of the result, from voxels x, y, z to millimetres right, anterior, superior: 3 rows of
  /// 4.
  func affine(of geometry: StackGeometry, sizes: [Int]) -> [[Double]] {
    var origin = geometry.origin
    var columns: [[Double]] = []
    for target in 0..<3 {
      let axis = axes[target]
      var column = geometry.directions[axis].map { $0 * geometry.spacing[axis] }
      if isFlipped[target] {
        for row in 0..<3 { origin[row] += column[row] * Double(sizes[axis] - 1) }
        column = column.map { -$0 }
      }
      columns.append(column)
    }
    return (0..<3).map { row in
      let sign = row < 2 ? -1.0 : 1
      return (columns.map { $0[row] } + [origin[row]]).map { $0 == 0 ? 0 : sign * $0 }
    }
  }
}
