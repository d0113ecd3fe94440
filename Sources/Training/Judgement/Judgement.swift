// SPDX-License-Identifier: Apache-2.0
/// How good a classifier is on cases whose classes are known: what every report shows, whatever was fitted to what.
package struct Judgement: Sendable {
  /// Cases with their true classes.
  package struct Cases: Sendable {
    package let names: [String]
    package let classes: [String]
    /// The class of every case.
    package let labels: [Int]
    /// The patient or other group of every case; `nil` where every case is its own.
    package let groups: [String]?

    package init(names: [String], classes: [String], labels: [Int], groups: [String]?) {
      self.names = names
      self.classes = classes
      self.labels = labels
      self.groups = groups
    }
  }

  /// How unlike those of training cases are: squared distances, and that beyond which a case is foreign.
  package struct Foreignness: Sendable {
    package let distances: [Double]
    package let threshold: Double
  }

  package let cases: Cases
  /// `[cases, classes]`.
  package let probabilities: Matrix
  package let metrics: ClassificationMetrics
  /// The fold that every case was left out of; `nil` where nothing was fitted to any of them.
  package let folds: [Int]?
  /// Those of every fold alone.
  package let foldMetrics: [ClassificationMetrics]
  package let areaInterval: AreaInterval
  package let foreignness: Foreignness?
  /// How a classifier of two classes does at another threshold than one half.
  package let operatingPoint: OperatingPoint?

  /// - Parameter seed: of the bootstrap over groups.
  package init(
    _ cases: Cases, probabilities: Matrix, folds: [Int]? = nil, foldCount: Int = 0,
    foreignness: Foreignness? = nil, operatingPoint: OperatingPoint? = nil, seed: UInt64
  ) {
    self.cases = cases
    self.probabilities = probabilities
    self.folds = folds
    self.foreignness = foreignness
    self.operatingPoint = operatingPoint
    let metrics = ClassificationMetrics(probabilities: probabilities, labels: cases.labels)
    self.metrics = metrics
    foldMetrics = (0..<foldCount).map { fold in
      let test = cases.labels.indices.filter { folds?[$0] == fold }
      return ClassificationMetrics(
        probabilities: probabilities.selecting(rows: test), labels: test.map { cases.labels[$0] })
    }
    areaInterval = AreaInterval(metrics, probabilities, cases, seed: seed)
  }

  /// Whether a case is unlike those of training.
  package func isForeign(_ index: Int) -> Bool {
    foreignness.map { $0.distances[index] > $0.threshold } ?? false
  }

  /// What a case is taken for.
  package func winner(_ index: Int) -> Int {
    ClassificationMetrics.winner(probabilities.row(index))
  }

  /// The cases that are taken for another class than theirs.
  package var wrong: [Int] {
    cases.labels.indices.filter { winner($0) != cases.labels[$0] }
  }

  /// Whether distances spread, so that a threshold tells something.
  var tellsForeign: Bool {
    foreignness.map { $0.threshold.isFinite && $0.threshold > 0 } ?? false
  }

  /// What figures of so few cases do not tell; nothing where there are many.
  package var caveats: [String] {
    var result: [String] = []
    if cases.names.count < 200 {
      result.append(
        "With \(cases.names.count) cases every figure has a wide interval; it says nothing of other "
          + "scanners or hospitals.")
    }
    if metrics.area == 1 {
      result.append("An AUC of 1 has no interval: no case tells how far it may be off.")
    }
    return result
  }
}

extension Judgement {
  /// So many percent of cases are nearer than the threshold of distances, out of fold.
  package static let thresholdPercent = 95.0

  /// Of values out of fold.
  ///
  /// - Parameters:
  ///   - logits: without temperature, as are the probabilities that are judged.
  ///   - temperature: of the classifier that is written: what a threshold is for.
  init(
    _ cohort: Cohort, logits: Matrix, temperature: Double, folds: [Int], foldCount: Int,
    distances: [Double], seed: UInt64
  ) {
    let scaled = Softmax.probabilities(logits, temperature: temperature)
    self.init(
      Cases(
        names: cohort.cases, classes: cohort.classes, labels: cohort.labels,
        groups: cohort.groupNames.count == cohort.cases.count
          ? nil : cohort.groups.map { cohort.groupNames[$0] }),
      probabilities: Softmax.probabilities(logits), folds: folds, foldCount: foldCount,
      foreignness: Foreignness(
        distances: distances,
        threshold: Percentile.of(sorted: distances.sorted(), Self.thresholdPercent)),
      operatingPoint: cohort.classes.count == 2
        ? OperatingPoint.best(
          scores: cohort.labels.indices.map { scaled[$0, 1] },
          isPositive: cohort.labels.map { $0 == 1 }) : nil,
      seed: seed)
  }
}

/// The 95 % interval of the area under the curve: with two classes that of the second, else of the mean over
/// classes.
package struct AreaInterval: Sendable {
  /// 0…1 where nothing is known.
  package let range: ClosedRange<Double>
  /// Whether groups were drawn for it; otherwise it is DeLong's, of independent cases.
  package let isOfGroups: Bool

  init(
    _ metrics: ClassificationMetrics, _ probabilities: Matrix, _ cases: Judgement.Cases,
    seed: UInt64
  ) {
    let (names, groups) = Cohort.ranked(cases.groups ?? cases.names)
    let isBinary = cases.classes.count == 2
    guard !isBinary || names.count < groups.count else {
      (range, isOfGroups) = (metrics.areas[1].interval, false)
      return
    }
    let shown = isBinary ? [1] : Array(cases.classes.indices)
    let interval = PatientBootstrap.interval(
      groups: groups, groupCount: names.count, seed: seed
    ) { drawn in
      shown.reduce(0) { sum, label in
        sum
          + AreaUnderCurve(
            scores: drawn.map { probabilities[$0, label] },
            isPositive: drawn.map { cases.labels[$0] == label }
          ).value
      } / Double(shown.count)
    }
    (range, isOfGroups) = (interval ?? 0...1, true)
  }

  /// How it was made, in few words.
  package var method: String { isOfGroups ? "groups drawn" : "DeLong" }
}
