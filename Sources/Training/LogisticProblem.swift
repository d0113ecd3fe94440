// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The function that logistic regression minimises, with its derivatives. Its unknowns are a matrix
/// `[1 or classes, features + 1]`, the intercept last.
struct LogisticProblem {
  /// `[cases, features + 1]`, a column of ones last.
  private let features: Matrix
  private let labels: [Int]
  private let classCount: Int
  private let c: Double
  private let weights: [Double]

  /// Beyond so many unknowns the Newton equations are solved by conjugate gradients.
  private let directLimit: Int
  private static let iterationLimit = 200

  init(
    features: Matrix, labels: [Int], classCount: Int, c: Double, weights: [Double],
    directLimit: Int = 1500
  ) {
    self.features = Matrix(
      rows: features.rows, columns: features.columns + 1,
      values: (0..<features.rows).flatMap { features.row($0) + [1] })
    self.labels = labels
    self.classCount = classCount
    self.c = c
    self.weights = weights
    self.directLimit = directLimit
  }

  var unknownsPerRow: Int { features.columns }

  private var rowCount: Int { classCount == 2 ? 1 : classCount }

  /// Goes to the minimum from where `parameters` are.
  func minimize(_ parameters: inout Matrix) {
    let tolerance = 1e-11 * max(1, c * Double(labels.count))
    for _ in 0..<Self.iterationLimit {
      let (value, probabilities) = evaluate(parameters)
      let gradient = gradient(parameters, probabilities)
      guard gradient.values.contains(where: { abs($0) > tolerance }) else { return }
      let step = step(gradient, probabilities)
      var size = 1.0
      var next = parameters
      while size > 1e-10 {
        for index in next.values.indices {
          next.values[index] = parameters.values[index] - size * step.values[index]
        }
        if evaluate(next).value < value { break }
        size /= 2
      }
      // At the last digits the value does not fall any more.
      guard size > 1e-10 else { return }
      parameters = next
    }
  }

  /// The function's value, and every case's probabilities `[cases, 1 or classes]`.
  private func evaluate(_ parameters: Matrix) -> (value: Double, probabilities: Matrix) {
    var probabilities = features.times(transposed: parameters)
    var loss = 0.0
    for index in labels.indices {
      if rowCount == 1 {
        let z = probabilities[index, 0]
        let softplus = max(z, 0) + log1p(exp(-abs(z)))
        loss += weights[index] * (softplus - (labels[index] == 1 ? z : 0))
        probabilities[index, 0] = z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z))
      } else {
        let logits = Array(probabilities.row(index))
        let normalizer = Softmax.logSumExp(logits)
        loss += weights[index] * (normalizer - logits[labels[index]])
        for row in logits.indices { probabilities[index, row] = exp(logits[row] - normalizer) }
      }
    }
    var penalty = 0.0
    for row in 0..<rowCount {
      for value in parameters.row(row).dropLast() { penalty += value * value }
    }
    return (c * loss + penalty / 2, probabilities)
  }

  private func gradient(_ parameters: Matrix, _ probabilities: Matrix) -> Matrix {
    var residual = probabilities
    for index in labels.indices {
      if rowCount == 1 {
        residual[index, 0] -= labels[index] == 1 ? 1 : 0
      } else {
        residual[index, labels[index]] -= 1
      }
    }
    var result = residual.transposedTimes(features, weights: weights)
    for row in 0..<rowCount {
      for column in 0..<unknownsPerRow {
        let penalty = column == unknownsPerRow - 1 ? 0 : parameters[row, column]
        result[row, column] = c * result[row, column] + penalty
      }
    }
    return result
  }

  /// The Newton step: the solution of Hessian · step = gradient.
  private func step(_ gradient: Matrix, _ probabilities: Matrix) -> Matrix {
    let unknowns = rowCount * unknownsPerRow
    if unknowns <= directLimit {
      let right = Matrix(rows: unknowns, columns: 1, values: gradient.values)
      if let factor = Cholesky(hessian(probabilities)) {
        return Matrix(
          rows: rowCount, columns: unknownsPerRow, values: factor.solve(right).values)
      }
    }
    return conjugateGradients(gradient, probabilities)
  }

  /// How the loss of a case bends between two rows: `s p (1[a = b] − q)`.
  private func curvature(_ probabilities: Matrix, _ a: Int, _ b: Int) -> [Double] {
    labels.indices.map { index in
      let p = probabilities[index, a]
      return weights[index] * p * ((a == b ? 1 : 0) - probabilities[index, b])
    }
  }

  /// A common shift of all intercepts changes nothing; this much curvature holds their sum at zero.
  private static let shiftCurvature = 1.0

  private func hessian(_ probabilities: Matrix) -> Matrix {
    var result = Matrix(rows: rowCount * unknownsPerRow, columns: rowCount * unknownsPerRow)
    for a in 0..<rowCount {
      for b in 0...a {
        let block = features.transposedTimes(
          features, weights: curvature(probabilities, a, b))
        for row in 0..<unknownsPerRow {
          for column in 0..<unknownsPerRow {
            result[a * unknownsPerRow + row, b * unknownsPerRow + column] = c * block[row, column]
          }
        }
        let last = unknownsPerRow - 1
        if rowCount > 1 {
          result[a * unknownsPerRow + last, b * unknownsPerRow + last] += Self.shiftCurvature
        }
      }
      for row in 0..<unknownsPerRow - 1 {
        result[a * unknownsPerRow + row, a * unknownsPerRow + row] += 1
      }
    }
    return result
  }

  /// Hessian · direction without the Hessian.
  private func curved(_ direction: Matrix, _ probabilities: Matrix) -> Matrix {
    var change = features.times(transposed: direction)
    for index in labels.indices {
      var mean = 0.0
      for row in 0..<rowCount { mean += probabilities[index, row] * change[index, row] }
      for row in 0..<rowCount {
        change[index, row] = probabilities[index, row] * (change[index, row] - mean)
      }
    }
    var result = change.transposedTimes(features, weights: weights)
    var shift = 0.0
    for row in 0..<rowCount { shift += direction[row, unknownsPerRow - 1] }
    for row in 0..<rowCount {
      for column in 0..<unknownsPerRow {
        let isIntercept = column == unknownsPerRow - 1
        let own =
          isIntercept ? (rowCount > 1 ? Self.shiftCurvature * shift : 0) : direction[row, column]
        result[row, column] = c * result[row, column] + own
      }
    }
    return result
  }

  private func conjugateGradients(_ gradient: Matrix, _ probabilities: Matrix) -> Matrix {
    var solution = Matrix(rows: rowCount, columns: unknownsPerRow)
    var residual = gradient.values
    var direction = gradient
    var norm = residual.reduce(0) { $0 + $1 * $1 }
    let target = norm * 1e-12
    for _ in 0..<2 * gradient.values.count where norm > target {
      let curved = curved(direction, probabilities)
      let bend = zip(direction.values, curved.values).reduce(0) { $0 + $1.0 * $1.1 }
      guard bend > 0 else { break }
      let size = norm / bend
      for index in residual.indices {
        solution.values[index] += size * direction.values[index]
        residual[index] -= size * curved.values[index]
      }
      let next = residual.reduce(0) { $0 + $1 * $1 }
      for index in residual.indices {
        direction.values[index] = residual[index] + next / norm * direction.values[index]
      }
      norm = next
    }
    return solution
  }
}
