// SPDX-License-Identifier: Apache-2.0
/// How far features lie from those of training: the squared Mahalanobis distance to the nearest
/// class mean under one covariance of all classes, shrunk as Ledoit and Wolf found best.
package struct ForeignDistance: Sendable {
  /// Class means, `[classes, features]`.
  package let means: Matrix
  /// How much of the covariance is replaced by a multiple of the identity.
  package let shrinkage: Double
  /// What differences are multiplied by before the rest: `d² = Σ y² − Σ (U y)²`, `y = diagonal · Δ`.
  private let diagonal: Double
  private let directions: Matrix
  /// Or, with fewer features than cases, the inverse covariance.
  private let precision: Matrix?

  /// Of more cases than this, evenly spaced ones make the covariance where there are more features.
  private static let caseLimit = 1024

  /// - Parameter features: standardised, `[cases, features]`.
  package init(features: Matrix, labels: [Int], classCount: Int) {
    var means = Matrix(rows: classCount, columns: features.columns)
    var counts = [Double](repeating: 0, count: classCount)
    for (row, label) in labels.enumerated() {
      counts[label] += 1
      for (column, value) in features.row(row).enumerated() { means[label, column] += value }
    }
    for label in 0..<classCount where counts[label] > 0 {
      for column in 0..<features.columns { means[label, column] /= counts[label] }
    }
    self.means = means
    var centred = features
    for (row, label) in labels.enumerated() {
      for column in 0..<features.columns { centred[row, column] -= means[label, column] }
    }
    if features.columns >= features.rows, features.rows > Self.caseLimit {
      centred = centred.selecting(
        rows: (0..<Self.caseLimit).map { $0 * features.rows / Self.caseLimit })
    }
    let covariance = ShrunkCovariance(centred)
    shrinkage = covariance.shrinkage
    (precision, directions, diagonal) = covariance.inverse()
  }

  /// The number of directions of the low-rank form.
  package var rank: Int { directions.rows }

  /// The distance of every row.
  package func squares(_ features: Matrix) -> [Double] {
    (0..<features.rows).map { row in
      var smallest = Double.infinity
      for label in 0..<means.rows {
        var difference = Matrix(rows: 1, columns: features.columns)
        for (column, value) in features.row(row).enumerated() {
          difference[0, column] = value - means[label, column]
        }
        smallest = min(smallest, square(difference))
      }
      return smallest
    }
  }

  private func square(_ difference: Matrix) -> Double {
    if let precision {
      return difference.times(transposed: precision).times(transposed: difference)[0, 0]
    }
    let whole = difference.values.reduce(0) { $0 + $1 * $1 }
    let part = difference.times(transposed: directions).values.reduce(0) { $0 + $1 * $1 }
    return diagonal * diagonal * (whole - part)
  }
}

/// `(1 − a) S + a tr(S)/F · 1`, S the covariance of centred rows.
private struct ShrunkCovariance {
  let shrinkage: Double
  private let rows: Matrix
  private let ridge: Double
  /// `X Xᵀ` with at least as many features as rows, else `Xᵀ X`.
  private let products: Matrix
  private var isWide: Bool { rows.columns >= rows.rows }

  init(_ rows: Matrix) {
    self.rows = rows
    let count = Double(rows.rows)
    let width = Double(rows.columns)
    products =
      rows.columns >= rows.rows ? rows.times(transposed: rows) : rows.transposedTimes(rows)
    // The trace and the sum of squares of Xᵀ X are those of X Xᵀ.
    let products = self.products
    let trace = (0..<products.rows).reduce(0) { $0 + products[$1, $1] } / count
    let squares = products.values.reduce(0) { $0 + $1 * $1 } / (count * count)
    let fourth = (0..<rows.rows).reduce(0.0) { sum, row in
      let square = rows.row(row).reduce(0) { $0 + $1 * $1 }
      return sum + square * square
    }
    let mean = trace / width
    let delta = (squares - mean * mean * width) / width
    let beta = min((fourth / count - squares) / (width * count), delta)
    shrinkage = beta == 0 ? 0 : beta / delta
    ridge = shrinkage * mean
  }

  /// The inverse: a matrix, or `diagonal² (1 − Uᵀ U)`.
  func inverse() -> (precision: Matrix?, directions: Matrix, diagonal: Double) {
    let count = Double(rows.rows)
    let kept = (1 - shrinkage) / count
    let smallest = Double.leastNormalMagnitude
    if isWide {
      // Woodbury: U = L⁻¹ X, where L Lᵀ = X Xᵀ + ridge/kept · 1.
      var inner = products
      // Without any spread left, distances are those of the ridge alone.
      let ridge = max(ridge, 1e-12 * max(products[0, 0], smallest))
      for index in 0..<inner.rows { inner[index, index] += ridge / max(kept, smallest) }
      let directions = Cholesky(inner)?.halfSolve(rows)
      return (nil, directions ?? Matrix(rows: 0, columns: rows.columns), 1 / ridge.squareRoot())
    }
    var covariance = products
    for index in covariance.values.indices { covariance.values[index] *= kept }
    let floor = 1e-12 * max(covariance[0, 0], smallest)
    for index in 0..<covariance.rows { covariance[index, index] += max(ridge, floor) }
    var identity = Matrix(rows: covariance.rows, columns: covariance.rows)
    for index in 0..<identity.rows { identity[index, index] = 1 }
    return (Cholesky(covariance)?.solve(identity), Matrix(rows: 0, columns: rows.columns), 1)
  }
}

extension ForeignDistance {
  /// What a `.swt` file stores of it, for features as they are, not standardised.
  package func stored(
    _ standardization: Standardization, fullLimit: Int
  ) -> (means: Matrix, form: StoredForm) {
    var means = means
    for row in 0..<means.rows {
      for column in 0..<means.columns {
        means[row, column] =
          means[row, column] * standardization.scale[column] + standardization.mean[column]
      }
    }
    let width = means.columns
    let scale = standardization.scale
    guard width <= fullLimit else {
      return (means, .lowRank(scale: scale.map { diagonal / $0 }, directions: directions))
    }
    var full = precision ?? directions.transposedTimes(directions)
    for row in 0..<width {
      for column in 0..<width {
        if precision == nil {
          let identity: Double = row == column ? 1 : 0
          full[row, column] = diagonal * diagonal * (identity - full[row, column])
        }
        full[row, column] /= scale[row] * scale[column]
      }
    }
    return (means, .full(full))
  }

  package enum StoredForm: Sendable {
    case full(Matrix)
    case lowRank(scale: [Double], directions: Matrix)
  }
}
