// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// The sets of pooled features that a head may read.
package enum Pooling: String, Sendable, CaseIterable {
  /// The mean of the last stage: the recipe's AdaptiveAvgPool(1).
  case mean
  /// Mean and maximum of every stage.
  case all
  /// Whichever cross-validation finds better.
  case auto

  /// What to choose from, among the columns of means and maxima of every stage.
  ///
  /// - Parameter widths: `features_per_stage`.
  package func candidates(widths: [Int]) -> [CrossValidation.Candidate] {
    let last = widths.last ?? 0
    let all = 2 * widths.reduce(0, +)
    let mean = CrossValidation.Candidate(
      name: "mean of the last stage", columns: Array(all - 2 * last..<all - last))
    let everything = CrossValidation.Candidate(
      name: "mean and max of all stages", columns: Array(0..<all))
    return switch self {
    case .mean: [mean]
    case .all: [everything]
    case .auto: [mean, everything]
    }
  }
}
