// SPDX-License-Identifier: Apache-2.0
internal import FileIO
package import SWTFormat
internal import Synchronization

/// What is chosen by cross-validation, and the honest figure of a choice: made anew inside the
/// training part of every fold.
package struct CrossValidation: Sendable {
  /// A set of features that a head may read: columns of all that were computed.
  package struct Candidate: Sendable, Equatable {
    package let name: String
    package let columns: [Int]
    /// What a head on them pools; `nil` for the last stage's mean.
    package let pooling: [Classifier.Pooling]?
    /// The input policy under which they were computed; `nil` for the model's.
    package let policy: InputPolicy?

    package init(
      name: String, columns: [Int], pooling: [Classifier.Pooling]? = nil,
      policy: InputPolicy? = nil
    ) {
      self.name = name
      self.columns = columns
      self.pooling = pooling
      self.policy = policy
    }
  }

  /// One thing to choose, with its log loss out of fold.
  package struct Option: Sendable {
    package let candidate: Int
    package let c: Double
    package let logLoss: Double
  }

  package struct Settings: Sendable {
    package var folds = 5
    /// The strengths to choose from, ascending.
    package var cs = [1e-3, 1e-2, 1e-1, 1, 10, 100]
    package var classWeights = HeadModel.ClassWeights.none

    package init() {}
  }

  /// The test fold of every case.
  package let folds: [Int]
  /// Every option over all folds.
  package let options: [Option]
  /// The one with the least log loss; of equal ones the first candidate, the smaller `c`.
  package let choice: Option
  /// Logits out of fold of that choice: optimistic, as the choice was made with them.
  package let logits: Matrix
  /// Logits out of fold where each fold's choice was made without it.
  package let nestedLogits: Matrix
  /// What each fold chose.
  package let nestedChoices: [Option]

  /// - Parameter features: all features of every case, `[cases, features]`.
  package init(
    features: Matrix, candidates: [Candidate], cohort: Cohort, settings: Settings
  ) throws(TrainingError) {
    let folds = try cohort.folds(settings.folds)
    self.folds = folds
    let search = Search(
      features: candidates.map { features.selecting(columns: $0.columns) }, cohort: cohort,
      settings: settings)
    let everyone = Array(folds.indices)
    // Every training part is searched on its own, the last is all cases.
    let isNested = candidates.count * settings.cs.count > 1
    let parts = (0..<settings.folds).map { fold in everyone.filter { folds[$0] != fold } }
    let results = Mutex([Search.Result?](repeating: nil, count: settings.folds + 1))
    ParallelLoop.run(settings.folds + 1) { index in
      let result: Search.Result?
      if index == settings.folds {
        result = search.run(everyone, folds: folds)
      } else if isNested {
        let part = parts[index]
        let inner = StratifiedGroupFolds.make(
          labels: part.map { cohort.labels[$0] }, groups: part.map { cohort.groups[$0] },
          count: settings.folds)
        result = search.run(part, folds: inner)
      } else {
        result = nil
      }
      results.withLock { $0[index] = result }
    }
    let found = results.withLock { $0 }
    guard let whole = found[settings.folds] else { throw .classes([]) }
    (options, choice, logits) = (whole.options, whole.best, whole.logits)
    var nested = whole.logits
    nestedChoices = (0..<settings.folds).map { found[$0]?.best ?? whole.best }
    if isNested {
      for (fold, choice) in nestedChoices.enumerated() {
        let test = everyone.filter { folds[$0] == fold }
        let model = search.fit(choice, parts[fold])
        let own = model.logits(search.features[choice.candidate].selecting(rows: test))
        for (row, index) in test.enumerated() {
          for column in 0..<own.columns { nested[index, column] = own[row, column] }
        }
      }
    }
    nestedLogits = nested
  }
}

/// The search for the best option among some of the cases.
private struct Search: Sendable {
  /// Those of every candidate.
  let features: [Matrix]
  let cohort: Cohort
  let settings: CrossValidation.Settings

  struct Result: Sendable {
    var options: [CrossValidation.Option]
    var best: CrossValidation.Option
    /// Out of fold, of the best option.
    var logits: Matrix
  }

  func fit(_ option: CrossValidation.Option, _ cases: [Int]) -> HeadModel {
    models(option.candidate, cases, cs: [option.c])[0]
  }

  private func models(_ candidate: Int, _ cases: [Int], cs: [Double]) -> [HeadModel] {
    HeadModel.fit(
      features: features[candidate].selecting(rows: cases),
      labels: cases.map { cohort.labels[$0] }, classCount: cohort.classes.count, cs: cs,
      classWeights: settings.classWeights)
  }

  /// - Parameter folds: the test fold of each of `cases`; some folds may be empty.
  func run(_ cases: [Int], folds: [Int]) -> Result {
    let labels = cases.map { cohort.labels[$0] }
    var result: Result?
    for candidate in features.indices {
      var logits = [Matrix](
        repeating: Matrix(rows: cases.count, columns: cohort.classes.count),
        count: settings.cs.count)
      for fold in Set(folds).sorted() {
        let training = cases.indices.filter { folds[$0] != fold }.map { cases[$0] }
        let test = cases.indices.filter { folds[$0] == fold }
        let own = features[candidate].selecting(rows: test.map { cases[$0] })
        for (index, model) in models(candidate, training, cs: settings.cs).enumerated() {
          let found = model.logits(own)
          for (row, position) in test.enumerated() {
            for column in 0..<found.columns { logits[index][position, column] = found[row, column] }
          }
        }
      }
      for (c, logits) in zip(settings.cs, logits) {
        let option = CrossValidation.Option(
          candidate: candidate, c: c,
          logLoss: ClassificationMetrics.logLoss(Softmax.probabilities(logits), labels))
        result?.options.append(option)
        if result.map({ option.logLoss < $0.best.logLoss }) != false {
          result = Result(
            options: result?.options ?? [option], best: option, logits: logits)
        }
      }
    }
    let first = CrossValidation.Option(candidate: 0, c: settings.cs[0], logLoss: .infinity)
    return result
      ?? Result(options: [], best: first, logits: Matrix(rows: cases.count, columns: 0))
  }
}
