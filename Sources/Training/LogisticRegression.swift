// SPDX-License-Identifier: Apache-2.0
/// Logistic regression with an L2 penalty, as scikit-learn's `LogisticRegression(C)` defines it:
/// `C Σ sᵢ lossᵢ + ½‖W‖²`, the intercepts free. Two classes have one logit, more have a softmax.
package struct LogisticRegression: Sendable, Equatable {
  /// `[1 or classes, features]`.
  package let weight: Matrix
  /// Of more than two classes the intercepts sum to zero.
  package let bias: [Double]

  /// Fits a model for every `c`, each from where the one before ended: Newton's method with
  /// backtracking, until the gradient is below 1e-11 of its scale.
  ///
  /// - Parameters:
  ///   - features: `[cases, features]`, standardised.
  ///   - labels: the class of every case, each of `classCount` classes at least once.
  ///   - weights: `sᵢ`.
  package static func path(
    features: Matrix, labels: [Int], classCount: Int, cs: [Double], weights: [Double]
  ) -> [LogisticRegression] {
    // A penalised weight is a combination of the rows: with fewer rows than features it is found
    // among those combinations.
    let basis = features.rows < features.columns ? RowBasis(features) : nil
    var parameters = Matrix(
      rows: classCount == 2 ? 1 : classCount,
      columns: (basis?.coordinates ?? features).columns + 1)
    return cs.map { c in
      LogisticProblem(
        features: basis?.coordinates ?? features, labels: labels, classCount: classCount, c: c,
        weights: weights
      ).minimize(&parameters)
      let last = parameters.columns - 1
      let reduced = parameters.selecting(columns: Array(0..<last))
      return LogisticRegression(
        weight: basis.map { reduced.transposed.transposedTimes($0.basis) } ?? reduced,
        bias: (0..<parameters.rows).map { parameters[$0, last] })
    }
  }

  /// The logits of standardised features, `[cases, classes]`; of two classes `−z/2` and `z/2`.
  package func logits(_ features: Matrix) -> Matrix {
    let product = features.times(transposed: weight)
    guard bias.count == 1 else {
      var result = product
      for row in 0..<result.rows {
        for column in bias.indices { result[row, column] += bias[column] }
      }
      return result
    }
    return Matrix(
      rows: features.rows, columns: 2,
      values: product.values.flatMap { product -> [Double] in
        let half = (product + bias[0]) / 2
        return [-half, half]
      })
  }

  /// The linear layer `[classes, features]` with bias for features as they are, not standardised.
  package func folded(_ standardization: Standardization) -> (weight: Matrix, bias: [Double]) {
    // One logit z becomes −z/2 and z/2, whose softmax is the same.
    let factors = bias.count == 1 ? [-0.5, 0.5] : [Double](repeating: 1, count: bias.count)
    var folded = Matrix(rows: factors.count, columns: weight.columns)
    var shifted: [Double] = []
    for (row, factor) in factors.enumerated() {
      let source = bias.count == 1 ? 0 : row
      var shift = bias[source] * factor
      for column in 0..<weight.columns {
        folded[row, column] = weight[source, column] * factor / standardization.scale[column]
        shift -= folded[row, column] * standardization.mean[column]
      }
      shifted.append(shift)
    }
    return (folded, shifted)
  }
}

extension Matrix {
  var transposed: Matrix {
    Matrix(
      rows: columns, columns: rows,
      values: (0..<columns).flatMap { column in (0..<rows).map { self[$0, column] } })
  }
}

/// An orthonormal basis of the space that a matrix's rows span, and the rows' coordinates in it.
private struct RowBasis {
  /// `[rows, columns]`; a row that depends on those before it has a zero row here.
  let basis: Matrix
  /// `[rows, rows]`: the matrix is `coordinates · basis`.
  let coordinates: Matrix

  /// Gram–Schmidt, every row twice, which makes the basis orthonormal to rounding.
  init(_ matrix: Matrix) {
    var basis = Matrix(rows: matrix.rows, columns: matrix.columns)
    var coordinates = Matrix(rows: matrix.rows, columns: matrix.rows)
    for index in 0..<matrix.rows {
      var row = Array(matrix.row(index))
      let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      if index > 0 {
        let done = Matrix(
          rows: index, columns: matrix.columns,
          values: Array(basis.values[..<(index * matrix.columns)]))
        for _ in 0..<2 {
          let rest = Matrix(rows: 1, columns: row.count, values: row)
          let parts = rest.times(transposed: done)
          let projection = parts.transposed.transposedTimes(done)
          for column in row.indices { row[column] -= projection.values[column] }
          for other in 0..<index { coordinates[index, other] += parts[0, other] }
        }
      }
      let rest = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard rest > 1e-12 * length else { continue }
      coordinates[index, index] = rest
      for column in row.indices { basis[index, column] = row[column] / rest }
    }
    self.basis = basis
    self.coordinates = coordinates
  }
}
