// SPDX-License-Identifier: Apache-2.0
/// A 3×3 matrix, row by row.
package struct Matrix3: Sendable, Equatable {
  private var values: [Double]

  package init(_ rows: [[Double]]) { values = rows.flatMap { $0 } }

  static func diagonal(_ values: [Double]) -> Matrix3 {
    Matrix3((0..<3).map { row in (0..<3).map { row == $0 ? values[row] : 0 } })
  }

  package subscript(row: Int, column: Int) -> Double {
    get { values[3 * row + column] }
    set { values[3 * row + column] = newValue }
  }

  package var rows: [[Double]] { (0..<3).map { Array(values[3 * $0..<3 * $0 + 3]) } }

  package func column(_ index: Int) -> [Double] { (0..<3).map { self[$0, index] } }

  /// The lengths of the columns: what a step along x, y and z is.
  package var lengths: [Double] {
    (0..<3).map { column in self.column(column).reduce(0) { $0 + $1 * $1 }.squareRoot() }
  }

  var isFinite: Bool { values.allSatisfy(\.isFinite) }

  var transposed: Matrix3 { Matrix3((0..<3).map(column)) }

  /// With every column scaled to length 1; columns of zeros stay.
  var normalized: Matrix3 {
    let lengths = lengths.map { $0 == 0 ? 1 : $0 }
    return Matrix3(rows.map { row in zip(row, lengths).map { $0 / $1 } })
  }

  func map(_ body: (Double) -> Double) -> Matrix3 { Matrix3(rows.map { $0.map(body) }) }

  package static func * (left: Matrix3, right: [Double]) -> [Double] {
    left.rows.map { row in zip(row, right).reduce(0) { $0 + $1.0 * $1.1 } }
  }

  static func * (left: Matrix3, right: Matrix3) -> Matrix3 {
    Matrix3((0..<3).map { left * right.column($0) }).transposed
  }

  var determinant: Double {
    let m = self
    return m[0, 0] * m[1, 1] * m[2, 2] - m[0, 0] * m[2, 1] * m[1, 2]
      - m[1, 0] * m[0, 1] * m[2, 2] + m[1, 0] * m[2, 1] * m[0, 2]
      + m[2, 0] * m[0, 1] * m[1, 2] - m[2, 0] * m[1, 1] * m[0, 2]
  }

  /// Its inverse; of a singular matrix, zeros. The terms stand in niftilib's order, for the signs of
  /// zeros.
  var inverse: Matrix3 {
    let m = self
    let determinant = determinant
    let scale = determinant == 0 ? 0 : 1 / determinant
    return Matrix3([
      [
        scale * (m[1, 1] * m[2, 2] - m[2, 1] * m[1, 2]),
        scale * (-m[0, 1] * m[2, 2] + m[2, 1] * m[0, 2]),
        scale * (m[0, 1] * m[1, 2] - m[1, 1] * m[0, 2]),
      ],
      [
        scale * (-m[1, 0] * m[2, 2] + m[2, 0] * m[1, 2]),
        scale * (m[0, 0] * m[2, 2] - m[2, 0] * m[0, 2]),
        scale * (-m[0, 0] * m[1, 2] + m[1, 0] * m[0, 2]),
      ],
      [
        scale * (m[1, 0] * m[2, 1] - m[2, 0] * m[1, 1]),
        scale * (-m[0, 0] * m[2, 1] + m[2, 0] * m[0, 1]),
        scale * (m[0, 0] * m[1, 1] - m[1, 0] * m[0, 1]),
      ],
    ])
  }

  /// How far the matrix is from one whose columns are perpendicular and of length 1.
  var distanceFromOrthonormal: Double {
    let product = self * transposed
    var largest = 0.0
    for row in 0..<3 {
      for column in 0..<3 {
        let distance = abs(product[row, column] - (row == column ? 1 : 0))
        // A NaN counts as far away.
        largest = distance <= largest ? largest : distance.isNaN ? .infinity : distance
      }
    }
    return largest
  }

  /// The orthogonal factor of its polar decomposition, by Newton's iteration X ← (X + X⁻ᵀ) / 2; `nil`
  /// where it is singular.
  var nearestOrthogonal: Matrix3? {
    var current = self
    for _ in 0..<32 {
      let determinant = current.determinant
      guard determinant.isFinite, abs(determinant) > 1e-9 else { return nil }
      let inverse = current.inverse.transposed
      for row in 0..<3 {
        for column in 0..<3 {
          current[row, column] = (current[row, column] + inverse[row, column]) / 2
        }
      }
    }
    return current
  }
}
