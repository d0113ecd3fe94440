package import SWTFormat

/// The sets of pooled features that a head may read.
package enum Pooling {
  /// Mean and maximum of every stage, in that order.
  package static func all(stageCount: Int) -> [Classifier.Pooling] {
    (0..<stageCount).flatMap { stage in
      [
        Classifier.Pooling(stage: stage, statistic: .mean),
        Classifier.Pooling(stage: stage, statistic: .max),
      ]
    }
  }
}
