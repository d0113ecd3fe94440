// SPDX-License-Identifier: Apache-2.0
package import Pipeline
package import SWTFormat

extension Pooling {
  /// What cross-validation chooses from where nothing is said.
  package static let usual = [Pooling.mean, .all]

  /// What has to be computed for some of them: means and maxima of all stages, and those of the nonzero region
  /// where they are wanted.
  package static func layout(for poolings: [Pooling], stageCount: Int) -> [Classifier.Pooling] {
    let isOfNonzero = poolings.contains { $0 == .nonzeroMean || $0 == .nonzeroAll }
    return isOfNonzero
      ? Classifier.Pooling.every([.mean, .max, .nonzeroMean, .nonzeroMax], stageCount: stageCount)
      : Classifier.Pooling.all(stageCount: stageCount)
  }
}

extension CrossValidation.Candidate {
  /// The features of a pooling, among all that were computed.
  ///
  /// - Parameters:
  ///   - layout: what the computed columns are.
  ///   - widths: `features_per_stage`.
  ///   - policy: under which they were computed; `nil` for the model's.
  ///   - start: the first column of that policy.
  package init(
    _ pooling: Pooling, of layout: [Classifier.Pooling], widths: [Int],
    policy: InputPolicy? = nil, start: Int = 0
  ) {
    let entries = pooling.entries(stageCount: widths.count)
    var first: [Classifier.Pooling: Int] = [:]
    var column = start
    for entry in layout {
      first[entry] = column
      column += widths[entry.stage]
    }
    self.init(
      name: pooling.name + (policy.map { ", \($0.rawValue)" } ?? ""),
      columns: entries.flatMap { entry in
        (0..<widths[entry.stage]).map { (first[entry] ?? 0) + $0 }
      }, pooling: pooling == .mean ? nil : entries, policy: policy)
  }
}
