// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// How good probabilities are, against the true classes; definitions as in scikit-learn.
package struct ClassificationMetrics: Sendable {
  /// `[true][predicted]`.
  package let confusion: [[Int]]
  package let balancedAccuracy: Double
  package let accuracy: Double
  package let logLoss: Double
  /// The sum over classes of squared differences, averaged over cases: 0…2.
  package let brier: Double
  /// Expected calibration error of the winning class, in 15 equal bins (lo, hi].
  package let calibrationError: Double
  /// Every class against the others.
  package let areas: [AreaUnderCurve]
  /// With two classes that of the second, else the mean over classes.
  package let area: Double
  /// Share of a class that is found, with its 95 % interval.
  package let sensitivity: [Proportion]
  /// Share of the others that is not taken for it.
  package let specificity: [Proportion]

  package static let calibrationBins = 15

  /// - Parameter probabilities: `[cases, classes]`.
  package init(probabilities: Matrix, labels: [Int]) {
    let classCount = probabilities.columns
    let predicted = (0..<probabilities.rows).map { Self.winner(probabilities.row($0)) }
    var confusion = [[Int]](repeating: [Int](repeating: 0, count: classCount), count: classCount)
    for (label, prediction) in zip(labels, predicted) { confusion[label][prediction] += 1 }
    self.confusion = confusion
    let count = Double(labels.count)
    sensitivity = (0..<classCount).map { label in
      Proportion(confusion[label][label], of: confusion[label].reduce(0, +))
    }
    specificity = (0..<classCount).map { label in
      let others = (0..<classCount).filter { $0 != label }
      return Proportion(
        others.reduce(0) { $0 + confusion[$1].reduce(0, +) - confusion[$1][label] },
        of: others.reduce(0) { $0 + confusion[$1].reduce(0, +) })
    }
    let present = sensitivity.filter { $0.total > 0 }
    balancedAccuracy = present.reduce(0) { $0 + $1.value } / Double(present.count)
    accuracy = Double((0..<classCount).reduce(0) { $0 + confusion[$1][$1] }) / count
    logLoss = Self.logLoss(probabilities, labels)
    brier =
      labels.enumerated().reduce(0.0) { sum, entry in
        probabilities.row(entry.offset).enumerated().reduce(sum) { sum, entry2 in
          let difference = entry2.element - (entry2.offset == entry.element ? 1 : 0)
          return sum + difference * difference
        }
      } / count
    calibrationError =
      Self.reliability(probabilities, labels).reduce(0) {
        $0 + abs($1.accuracy - $1.confidence) * Double($1.count)
      } / count
    areas = (0..<classCount).map { label in
      AreaUnderCurve(
        scores: (0..<probabilities.rows).map { probabilities[$0, label] },
        isPositive: labels.map { $0 == label })
    }
    area =
      classCount == 2
      ? areas[1].value : areas.reduce(0) { $0 + $1.value } / Double(classCount)
  }

  /// The class of the largest probability, the first of equal ones.
  package static func winner(_ probabilities: ArraySlice<Double>) -> Int {
    var best = probabilities.startIndex
    for index in probabilities.indices where probabilities[index] > probabilities[best] {
      best = index
    }
    return best - probabilities.startIndex
  }

  /// Mean negative logarithm of the true class's probability, clipped to what a double resolves.
  package static func logLoss(_ probabilities: Matrix, _ labels: [Int]) -> Double {
    let smallest = Double.ulpOfOne
    return labels.enumerated().reduce(0.0) { sum, entry in
      sum - log(min(max(probabilities[entry.offset, entry.element], smallest), 1 - smallest))
    } / Double(labels.count)
  }

  /// A bin of the winner's probability.
  package struct Bin: Sendable {
    package let confidence: Double
    package let accuracy: Double
    package let count: Int
  }

  /// The bins that hold cases, for a reliability diagram.
  package static func reliability(_ probabilities: Matrix, _ labels: [Int]) -> [Bin] {
    var sums = [(confidence: Double, right: Int, count: Int)](
      repeating: (0, 0, 0), count: calibrationBins)
    for (row, label) in labels.enumerated() {
      let winner = winner(probabilities.row(row))
      let confidence = probabilities[row, winner]
      guard confidence.isFinite else { continue }
      let bin = min(max(Int((confidence * Double(calibrationBins)).rounded(.up)) - 1, 0), 14)
      sums[bin].confidence += confidence
      sums[bin].right += winner == label ? 1 : 0
      sums[bin].count += 1
    }
    return sums.filter { $0.count > 0 }.map {
      Bin(
        confidence: $0.confidence / Double($0.count), accuracy: Double($0.right) / Double($0.count),
        count: $0.count)
    }
  }
}

/// A share with Wilson's 95 % interval.
package struct Proportion: Sendable {
  package let count: Int
  package let total: Int
  package let value: Double
  package let interval: ClosedRange<Double>

  package init(_ count: Int, of total: Int) {
    self.count = count
    self.total = total
    value = Double(count) / Double(total)
    guard total > 0 else {
      interval = 0...1
      return
    }
    let (k, n, z) = (Double(count), Double(total), Normal.quantile975)
    let centre = (k + z * z / 2) / (n + z * z)
    let half = z * (k * (n - k) / n + z * z / 4).squareRoot() / (n + z * z)
    interval = max(0, centre - half)...min(1, centre + half)
  }
}

enum Normal {
  /// Where 97.5 % of a normal distribution lie below.
  static let quantile975 = 1.959963984540054
}
