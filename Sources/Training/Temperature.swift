// SPDX-License-Identifier: Apache-2.0
/// Temperature scaling: the `T` by which logits are divided so that probabilities fit out of fold.
package enum Temperature {
  /// What logits can ask for: separable ones would have 0, and such as know nothing infinity.
  package static let range = 0.01...100

  /// The `T` of the range that minimises the mean cross-entropy of `softmax(logits / T)`: halves the range until the
  /// slope along `1/T`, in which it is convex, changes its sign there. 1 where all of them are as good.
  package static func fit(logits: Matrix, labels: [Int]) -> Double {
    // A class that a training part lacked has no logit there.
    let cases = labels.indices.filter { row in logits.row(row).allSatisfy(\.isFinite) }
    let logits = logits.selecting(rows: cases)
    let labels = cases.map { labels[$0] }
    var (low, high) = (1 / range.upperBound, 1 / range.lowerBound)
    let slopes = (slope(logits, labels, factor: low), slope(logits, labels, factor: high))
    if slopes == (0, 0) { return 1 }
    if slopes.0 >= 0 { return range.upperBound }
    if slopes.1 <= 0 { return range.lowerBound }
    while true {
      let middle = (low * high).squareRoot()
      guard middle > low, middle < high else { return 1 / middle }
      if slope(logits, labels, factor: middle) < 0 { low = middle } else { high = middle }
    }
  }

  /// The derivative of the cross-entropy's sum by what logits are multiplied by.
  private static func slope(_ logits: Matrix, _ labels: [Int], factor: Double) -> Double {
    let probabilities = Softmax.probabilities(logits, temperature: 1 / factor)
    return labels.enumerated().reduce(0) { sum, element in
      let (row, label) = element
      // Distances from the label's logit: no large numbers cancel.
      return (0..<logits.columns).reduce(sum) {
        $0 + probabilities[row, $1] * (logits[row, $1] - logits[row, label])
      }
    }
  }
}
