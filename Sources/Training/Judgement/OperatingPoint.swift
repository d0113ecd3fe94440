// SPDX-License-Identifier: Apache-2.0
package import SWTFormat

/// What a classifier of two classes finds where the second class is told from another probability on than one half.
package struct OperatingPoint: Sendable {
  /// The least probability of the second class that counts as it.
  package let threshold: Double
  package let sensitivity: Proportion
  package let specificity: Proportion

  package init(threshold: Double, scores: [Double], isPositive: [Bool]) {
    self.threshold = threshold
    let told = zip(scores, isPositive).map { (isTold: $0.0 >= threshold, isPositive: $0.1) }
    let positive = told.filter(\.isPositive)
    let negative = told.filter { !$0.isPositive }
    sensitivity = Proportion(positive.count(where: \.isTold), of: positive.count)
    specificity = Proportion(negative.count { !$0.isTold }, of: negative.count)
  }

  /// That with the largest sum of sensitivity and specificity (Youden), halfway between two scores; of equal ones
  /// the nearest to one half. `nil` where a kind of case is missing.
  package static func best(scores: [Double], isPositive: [Bool]) -> OperatingPoint? {
    guard Set(isPositive).count == 2, scores.allSatisfy(\.isFinite) else { return nil }
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    let (positives, negatives) = (isPositive.count { $0 }, isPositive.count { !$0 })
    var best: (gain: Int, threshold: Double)?
    var (found, wrong) = (0, 0)
    for (position, index) in order.enumerated() {
      if isPositive[index] { found += 1 } else { wrong += 1 }
      guard position + 1 < order.count, scores[order[position + 1]] < scores[index] else {
        continue
      }
      let threshold = (scores[index] + scores[order[position + 1]]) / 2
      // Both shares over the same denominator: equal ones are equal.
      let gain = found * negatives - wrong * positives
      let isNearer = best.map { abs(threshold - 0.5) < abs($0.threshold - 0.5) } ?? true
      if best.map({ gain > $0.gain || gain == $0.gain && isNearer }) ?? true {
        best = (gain, threshold)
      }
    }
    return best.map {
      OperatingPoint(threshold: $0.threshold, scores: scores, isPositive: isPositive)
    }
  }

  package var json: JSONValue {
    [
      "threshold": .number(threshold), "sensitivity": sensitivity.json,
      "specificity": specificity.json,
    ]
  }

  /// The threshold that a classifier's file says its training came to.
  package static func threshold(of provenance: TrainingProvenance?) -> Double? {
    provenance?.metrics["operating_point"]?["threshold"]?.double
      .flatMap { (0...1).contains($0) ? $0 : nil }
  }
}
