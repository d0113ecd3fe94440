// SPDX-License-Identifier: Apache-2.0
/// A classifier on frozen features: chosen and judged by grouped, nested cross-validation, then
/// fitted on all cases.
package struct HeadTraining: Sendable {
  package let cohort: Cohort
  package let candidates: [CrossValidation.Candidate]
  package let crossValidation: CrossValidation
  /// Probabilities out of fold, nested where anything was chosen; without temperature.
  package let probabilities: Matrix
  package let metrics: ClassificationMetrics
  /// Those of every fold alone.
  package let foldMetrics: [ClassificationMetrics]
  /// The 95 % interval of the area under the curve, and whether patients were drawn for it.
  package let areaInterval: (range: ClosedRange<Double>, isOfPatients: Bool)
  /// Fitted to the logits out of fold of the final choice.
  package let temperature: Double
  /// The final linear layer for features as they are, `[classes, features]`, without temperature.
  package let weight: Matrix
  package let bias: [Double]
  /// How foreign scans are told.
  package let distance: ForeignDistance
  package let standardization: Standardization
  /// The squared distance beyond which a scan is foreign: 95 % of cases are nearer, out of fold.
  package let threshold: Double
  /// The squared distance of every case, out of fold.
  package let distances: [Double]

  package static let thresholdPercent = 95.0

  /// - Parameters:
  ///   - features: all features of every case in table order, `[cases, features]`.
  ///   - candidates: the sets of columns to choose from.
  ///   - seed: of the bootstrap over patients.
  package init(
    features: Matrix, candidates: [CrossValidation.Candidate], cohort: Cohort,
    settings: CrossValidation.Settings, seed: UInt64
  ) throws(TrainingError) {
    guard features.rows == cohort.cases.count else {
      throw .features(
        problem: "\(features.rows) rows for \(cohort.cases.count) cases — name the cases in the "
          + ".json beside them")
    }
    if let position = features.values.firstIndex(where: { !$0.isFinite }) {
      throw .nonFinite(
        case: cohort.cases[position / features.columns], feature: position % features.columns)
    }
    self.cohort = cohort
    self.candidates = candidates
    let crossValidation = try CrossValidation(
      features: features, candidates: candidates, cohort: cohort, settings: settings)
    self.crossValidation = crossValidation
    let probabilities = Softmax.probabilities(crossValidation.nestedLogits)
    self.probabilities = probabilities
    metrics = ClassificationMetrics(probabilities: probabilities, labels: cohort.labels)
    foldMetrics = (0..<settings.folds).map { fold in
      let test = cohort.labels.indices.filter { crossValidation.folds[$0] == fold }
      return ClassificationMetrics(
        probabilities: probabilities.selecting(rows: test), labels: test.map { cohort.labels[$0] })
    }
    areaInterval = Self.areaInterval(metrics, probabilities, cohort, seed: seed)
    temperature = Temperature.fit(logits: crossValidation.logits, labels: cohort.labels)

    let chosen = features.selecting(columns: candidates[crossValidation.choice.candidate].columns)
    let model = HeadModel.fit(
      features: chosen, labels: cohort.labels, classCount: cohort.classes.count,
      cs: [crossValidation.choice.c], classWeights: settings.classWeights)[0]
    guard let linear = model.linear else { throw .classes(cohort.classes) }
    (weight, bias) = linear
    standardization = model.standardization
    let classCount = cohort.classes.count
    distance = ForeignDistance(
      features: standardization.apply(to: chosen), labels: cohort.labels, classCount: classCount)
    var distances = [Double](repeating: 0, count: cohort.labels.count)
    for fold in 0..<settings.folds {
      let training = cohort.labels.indices.filter { crossValidation.folds[$0] != fold }
      let test = cohort.labels.indices.filter { crossValidation.folds[$0] == fold }
      let own = chosen.selecting(rows: training)
      let standardization = Standardization(own)
      let squares = ForeignDistance(
        features: standardization.apply(to: own), labels: training.map { cohort.labels[$0] },
        classCount: classCount
      ).squares(standardization.apply(to: chosen.selecting(rows: test)))
      for (index, square) in zip(test, squares) { distances[index] = square }
    }
    self.distances = distances
    threshold = Percentile.of(sorted: distances.sorted(), Self.thresholdPercent)
  }

  static func areaInterval(
    _ metrics: ClassificationMetrics, _ probabilities: Matrix, _ cohort: Cohort, seed: UInt64
  ) -> (ClosedRange<Double>, Bool) {
    let classes = cohort.classes.count == 2 ? [1] : Array(cohort.classes.indices)
    if cohort.groupNames.count == cohort.cases.count, classes.count == 1 {
      return (metrics.areas[1].interval, false)
    }
    let interval = PatientBootstrap.interval(
      groups: cohort.groups, groupCount: cohort.groupNames.count, seed: seed
    ) { cases in
      classes.reduce(0) { sum, label in
        sum
          + AreaUnderCurve(
            scores: cases.map { probabilities[$0, label] },
            isPositive: cases.map { cohort.labels[$0] == label }
          ).value
      } / Double(classes.count)
    }
    return (interval ?? 0...1, true)
  }

  /// What a user should know, once each.
  package var warnings: [String] {
    var result = cohort.warnings(folds: crossValidation.nestedChoices.count)
    let constant = standardization.constantFeatures.count
    if constant > 0 {
      result.append(
        "\(constant) feature\(constant == 1 ? " is" : "s are") constant and say nothing")
    }
    if temperature == Temperature.range.lowerBound || temperature == Temperature.range.upperBound {
      result.append(
        "the temperature is at its bound \(temperature): the classes are separable, or the head "
          + "knows nothing")
    }
    if !(threshold.isFinite && threshold > 0) {
      result.append("too few cases to tell foreign scans: the head will not")
    }
    return result
  }
}
