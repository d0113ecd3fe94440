// SPDX-License-Identifier: Apache-2.0
internal import CLinearAlgebra

/// A dense matrix of doubles, row-major.
package struct Matrix: Sendable, Equatable {
  package let rows: Int
  package let columns: Int
  package var values: [Double]

  package init(rows: Int, columns: Int, values: [Double]) {
    precondition(values.count == rows * columns)
    self.rows = rows
    self.columns = columns
    self.values = values
  }

  package init(rows: Int, columns: Int) {
    self.init(rows: rows, columns: columns, values: [Double](repeating: 0, count: rows * columns))
  }

  package subscript(row: Int, column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  package func row(_ row: Int) -> ArraySlice<Double> {
    values[row * columns..<(row + 1) * columns]
  }

  /// The rows at some positions, in that order.
  package func selecting(rows indices: [Int]) -> Matrix {
    var result: [Double] = []
    result.reserveCapacity(indices.count * columns)
    for index in indices { result += row(index) }
    return Matrix(rows: indices.count, columns: columns, values: result)
  }

  /// The columns at some positions, in that order.
  package func selecting(columns indices: [Int]) -> Matrix {
    Matrix(
      rows: rows, columns: indices.count,
      values: (0..<rows).flatMap { row in indices.map { self[row, $0] } })
  }

  /// The columns of matrices of as many rows, side by side.
  package init(joining parts: [Matrix]) {
    let rows = parts.first?.rows ?? 0
    self.init(
      rows: rows, columns: parts.reduce(0) { $0 + $1.columns },
      values: (0..<rows).flatMap { row in parts.flatMap { $0.row(row) } })
  }

  /// `self · otherᵀ`.
  package func times(transposed other: Matrix) -> Matrix {
    precondition(columns == other.columns)
    var result = Matrix(rows: rows, columns: other.rows)
    la_product(values, rows, other.values, other.rows, columns, &result.values)
    return result
  }

  /// `selfᵀ · other`, every row weighted.
  package func transposedTimes(_ other: Matrix, weights: [Double]? = nil) -> Matrix {
    precondition(rows == other.rows && weights.map { $0.count == rows } != false)
    var result = Matrix(rows: columns, columns: other.columns)
    let run = { (weights: UnsafePointer<Double>?) in
      la_weighted_product(
        values, columns, other.values, other.columns, weights, rows, &result.values)
    }
    if let weights { weights.withUnsafeBufferPointer { run($0.baseAddress) } } else { run(nil) }
    return result
  }
}

/// The Cholesky factor of a symmetric positive definite matrix.
package struct Cholesky: Sendable {
  private var lower: Matrix

  /// `nil` where the matrix is not positive definite.
  package init?(_ matrix: Matrix) {
    lower = matrix
    guard la_cholesky(&lower.values, matrix.rows) == 1 else { return nil }
  }

  /// `L⁻¹ right`: `L Lᵀ` is the matrix.
  package func halfSolve(_ right: Matrix) -> Matrix {
    var result = right
    la_solve_lower(lower.values, lower.rows, &result.values, right.columns, 0)
    return result
  }

  /// The matrix's inverse times `right`.
  package func solve(_ right: Matrix) -> Matrix {
    var result = halfSolve(right)
    la_solve_lower(lower.values, lower.rows, &result.values, right.columns, 1)
    return result
  }
}
