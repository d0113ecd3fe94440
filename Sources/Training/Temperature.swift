// SPDX-License-Identifier: Apache-2.0
/// Temperature scaling: the `T` by which logits are divided so that probabilities fit out of fold.
package enum Temperature {
  /// What logits can ask for; separable ones would have 0.
  package static let range = 0.01...100

  /// The `T` that minimises the mean cross-entropy of `softmax(logits / T)`: Newton's method on `1/T`,
  /// in which it is convex.
  package static func fit(logits: Matrix, labels: [Int]) -> Double {
    let inverseRange = (1 / range.upperBound)...(1 / range.lowerBound)
    // A class that a training part lacked has no logit there.
    let cases = labels.indices.filter { row in logits.row(row).allSatisfy(\.isFinite) }
    guard !cases.isEmpty else { return 1 }
    let logits = logits.selecting(rows: cases)
    let labels = cases.map { labels[$0] }
    var inverse = 1.0
    for _ in 0..<200 {
      let probabilities = Softmax.probabilities(logits, temperature: 1 / inverse)
      var slope = 0.0
      var bend = 0.0
      for row in labels.indices {
        var mean = 0.0
        var square = 0.0
        for column in 0..<logits.columns {
          mean += probabilities[row, column] * logits[row, column]
          square += probabilities[row, column] * logits[row, column] * logits[row, column]
        }
        slope += mean - logits[row, labels[row]]
        bend += square - mean * mean
      }
      let step = slope / max(bend, 1e-300)
      let next = min(
        max(inverse - step, inverse / 4, inverseRange.lowerBound), inverse * 4,
        inverseRange.upperBound)
      if abs(next - inverse) < 1e-14 * inverse { return 1 / next }
      inverse = next
    }
    return 1 / inverse
  }
}
