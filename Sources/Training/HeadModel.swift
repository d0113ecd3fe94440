// SPDX-License-Identifier: Apache-2.0
/// A standardisation and a regression, fitted on some of the cases: what cross-validation makes once
/// per fold, and the final head once of all.
package struct HeadModel: Sendable {
  package let standardization: Standardization
  /// The regression between the classes that occur; `nil` where only one does.
  private let regression: LogisticRegression?
  private let present: [Int]
  private let classCount: Int

  /// Whether rare classes count as much as common ones.
  package enum ClassWeights: String, Sendable, CaseIterable {
    case none
    /// `n / (classes · cases of the class)`.
    case balanced

    func weights(_ labels: [Int], classCount: Int) -> [Double] {
      guard self == .balanced else { return [Double](repeating: 1, count: labels.count) }
      var counts = [Double](repeating: 0, count: classCount)
      for label in labels { counts[label] += 1 }
      return labels.map { Double(labels.count) / (Double(classCount) * counts[$0]) }
    }
  }

  /// Fits a model for every `c`.
  ///
  /// - Parameters:
  ///   - features: `[cases, features]` as they are.
  ///   - labels: classes among `0..<classCount`; some may be missing.
  package static func fit(
    features: Matrix, labels: [Int], classCount: Int, cs: [Double], classWeights: ClassWeights
  ) -> [HeadModel] {
    let standardization = Standardization(features)
    let present = Set(labels).sorted()
    guard present.count > 1 else {
      return cs.map { _ in
        HeadModel(
          standardization: standardization, regression: nil, present: present,
          classCount: classCount)
      }
    }
    let ranks = Dictionary(uniqueKeysWithValues: present.enumerated().map { ($1, $0) })
    let own = labels.map { ranks[$0] ?? 0 }
    return LogisticRegression.path(
      features: standardization.apply(to: features), labels: own, classCount: present.count,
      cs: cs, weights: classWeights.weights(own, classCount: present.count)
    ).map {
      HeadModel(
        standardization: standardization, regression: $0, present: present, classCount: classCount)
    }
  }

  /// The logits of features as they are, `[cases, classes]`; −∞ for a class that was not there.
  package func logits(_ features: Matrix) -> Matrix {
    var result = Matrix(
      rows: features.rows, columns: classCount,
      values: [Double](repeating: -.infinity, count: features.rows * classCount))
    let own =
      regression?.logits(standardization.apply(to: features))
      ?? Matrix(rows: features.rows, columns: 1)
    for row in 0..<features.rows {
      for (column, label) in present.enumerated() { result[row, label] = own[row, column] }
    }
    return result
  }

  /// The linear layer for standardised features, `[classes, features]`; `nil` where classes were missing.
  package var standardizedLinear: (weight: Matrix, bias: [Double])? {
    guard present.count == classCount, let regression else { return nil }
    guard regression.bias.count == 1 else { return (regression.weight, regression.bias) }
    // Two rows of half a logit each.
    return (
      Matrix(
        rows: 2, columns: regression.weight.columns,
        values: regression.weight.values.map { -$0 / 2 } + regression.weight.values.map { $0 / 2 }),
      [-regression.bias[0] / 2, regression.bias[0] / 2]
    )
  }

  /// The linear layer for features as they are; `nil` where classes were missing.
  package var linear: (weight: Matrix, bias: [Double])? {
    present.count == classCount ? regression?.folded(standardization) : nil
  }
}
