// SPDX-License-Identifier: Apache-2.0
package import SWTFormat

/// Sets of pooled features that have a name.
package enum Pooling: String, Sendable, CaseIterable {
  /// The mean of the last stage: the recipe's AdaptiveAvgPool(1).
  case mean
  /// Mean and maximum of every stage.
  case all
  /// As `mean`, over the scan's nonzero region.
  case nonzeroMean = "nonzero-mean"
  /// As `all`, over the scan's nonzero region.
  case nonzeroAll = "nonzero-all"

  /// For people.
  package var name: String {
    switch self {
    case .mean: "mean of the last stage"
    case .all: "mean and max of all stages"
    case .nonzeroMean: "mean of the last stage over the nonzero region"
    case .nonzeroAll: "mean and max of all stages over the nonzero region"
    }
  }

  /// All names, for messages.
  package static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

  /// What it pools, in order.
  package func entries(stageCount: Int) -> [Classifier.Pooling] {
    switch self {
    case .mean: [Classifier.Pooling(stage: stageCount - 1, statistic: .mean)]
    case .all: Classifier.Pooling.all(stageCount: stageCount)
    case .nonzeroMean: [Classifier.Pooling(stage: stageCount - 1, statistic: .nonzeroMean)]
    case .nonzeroAll:
      Classifier.Pooling.every([.nonzeroMean, .nonzeroMax], stageCount: stageCount)
    }
  }
}
