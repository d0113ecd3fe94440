// SPDX-License-Identifier: Apache-2.0
/// A classifier on frozen features: chosen and judged by grouped, nested cross-validation, then
/// fitted on all cases.
package struct HeadTraining: Sendable {
  package let cohort: Cohort
  package let candidates: [CrossValidation.Candidate]
  package let crossValidation: CrossValidation
  /// Out of fold, nested where anything was chosen; without temperature, but for the operating point.
  package let judgement: Judgement
  /// Fitted to the logits out of fold of the final choice.
  package let temperature: Double
  /// The final linear layer for features as they are, `[classes, features]`, without temperature.
  package let weight: Matrix
  package let bias: [Double]
  /// How foreign scans are told.
  package let distance: ForeignDistance
  package let standardization: Standardization
  private let classWeights: HeadModel.ClassWeights

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
    classWeights = settings.classWeights
    let crossValidation = try CrossValidation(
      features: features, candidates: candidates, cohort: cohort, settings: settings)
    self.crossValidation = crossValidation
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
    judgement = Judgement(
      cohort, logits: crossValidation.nestedLogits, temperature: temperature,
      folds: crossValidation.folds, foldCount: settings.folds, distances: distances, seed: seed)
  }

  /// Whether probabilities are as if all classes were equally common.
  var isBalanced: Bool { classWeights == .balanced }

  /// What a user should know, once each.
  package var warnings: [String] { warnings(of: judgement, temperature: temperature) }

  /// The same of what became of the head.
  func warnings(of judgement: Judgement, temperature: Double) -> [String] {
    var result = cohort.warnings(folds: crossValidation.nestedChoices.count)
    let constant = standardization.constantFeatures.count
    if constant > 0 {
      result.append(
        constant == 1
          ? "1 feature is constant and says nothing"
          : "\(constant) features are constant and say nothing")
    }
    if temperature == Temperature.range.lowerBound || temperature == Temperature.range.upperBound {
      result.append(
        "the temperature is at its bound \(temperature): the classes are separable, or the head "
          + "knows nothing")
    }
    if !judgement.tellsForeign {
      result.append("too few cases to tell foreign scans: the head will not")
    }
    return result
  }
}
