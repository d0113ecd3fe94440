// SPDX-License-Identifier: Apache-2.0
/// The area under a ROC curve, by Mann and Whitney, with DeLong's standard error.
package struct AreaUnderCurve: Sendable {
  /// NaN where one of the two kinds of case is missing.
  package let value: Double
  /// Of independent cases; NaN where there are fewer than two of a kind.
  package let standardError: Double
  /// The curve: false and true positive rates from (0, 0) to (1, 1).
  package let curve: [(falsePositive: Double, truePositive: Double)]

  package init(scores: [Double], isPositive: [Bool]) {
    let positive = zip(scores, isPositive).filter(\.1).map(\.0)
    let negative = zip(scores, isPositive).filter { !$0.1 }.map(\.0)
    let (m, n) = (Double(positive.count), Double(negative.count))
    let all = Self.midranks(positive + negative)
    let ownPositive = Self.midranks(positive)
    let ownNegative = Self.midranks(negative)
    let sum = all.prefix(positive.count).reduce(0, +)
    value = (sum - m * (m + 1) / 2) / (m * n)
    let above = ownPositive.indices.map { (all[$0] - ownPositive[$0]) / n }
    let below = ownNegative.indices.map { 1 - (all[positive.count + $0] - ownNegative[$0]) / m }
    standardError = (Self.variance(above) / m + Self.variance(below) / n).squareRoot()
    curve = Self.curve(scores: scores, isPositive: isPositive, m, n)
  }

  /// The 95 % interval of independent cases.
  package var interval: ClosedRange<Double> {
    guard standardError.isFinite else { return 0...1 }
    let half = Normal.quantile975 * standardError
    return max(0, value - half)...min(1, value + half)
  }

  /// Ranks from 1, of equal numbers their mean.
  private static func midranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
      var end = start
      while end + 1 < order.count, values[order[end + 1]] == values[order[start]] { end += 1 }
      for position in start...end { ranks[order[position]] = Double(start + end) / 2 + 1 }
      start = end + 1
    }
    return ranks
  }

  private static func variance(_ values: [Double]) -> Double {
    let mean = values.reduce(0, +) / Double(values.count)
    return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
  }

  private static func curve(
    scores: [Double], isPositive: [Bool], _ m: Double, _ n: Double
  ) -> [(falsePositive: Double, truePositive: Double)] {
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    var points = [(falsePositive: 0.0, truePositive: 0.0)]
    var (found, wrong) = (0.0, 0.0)
    for (position, index) in order.enumerated() {
      if isPositive[index] { found += 1 } else { wrong += 1 }
      let isLast =
        position + 1 == order.count || scores[order[position + 1]] != scores[index]
      if isLast { points.append((wrong / max(n, 1), found / max(m, 1))) }
    }
    return points
  }
}
