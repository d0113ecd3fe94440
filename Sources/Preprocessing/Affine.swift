// SPDX-License-Identifier: Apache-2.0
/// From voxels `(x, y, z)` to millimetres towards right, anterior and superior.
package struct Affine: Sendable, Equatable {
  /// What a step along x, y and z is, in its columns.
  package let matrix: Matrix3
  /// Where voxel (0, 0, 0) lies.
  package let offset: [Double]

  package init(matrix: Matrix3, offset: [Double]) {
    self.matrix = matrix
    self.offset = offset
  }

  var isFinite: Bool { matrix.isFinite && offset.allSatisfy(\.isFinite) }

  /// Whether `numpy.allclose` holds: 1e-5 of `other`'s numbers and 1e-8.
  func isClose(to other: Affine) -> Bool {
    AllClose.holds(
      matrix.rows.flatMap { $0 } + offset, other.matrix.rows.flatMap { $0 } + other.offset)
  }
}

/// `numpy.allclose`, by which nnU-Net tells whether the files of a case lie alike.
enum AllClose {
  static func holds(_ first: [Double], _ second: [Double]) -> Bool {
    first.count == second.count
      && zip(first, second).allSatisfy { abs($0 - $1) <= 1e-8 + 1e-5 * abs($1) }
  }
}

extension Affine {
  /// What is wrong with it, where its axes are not perpendicular.
  var fault: String {
    if !isFinite { return "is broken: it has numbers that are not finite" }
    if matrix == .diagonal([0, 0, 0]) { return "is broken: it is all zeros" }
    if abs(matrix.normalized.determinant) < 1e-6 { return "is broken: it is singular" }
    return "is sheared: its axes are not perpendicular (a tilted gantry?)"
  }
}
