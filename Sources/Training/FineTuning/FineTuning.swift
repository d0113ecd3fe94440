// SPDX-License-Identifier: Apache-2.0
internal import Pipeline
internal import SWTFormat
package import SWTRuntime

/// The last stages trained with a head that was fitted first, judged on the folds of that head: it is kept only where its log
/// loss out of fold is the smaller one.
package struct FineTuning: Sendable {
  /// One part of the cross-validation, or all cases.
  package struct Part: Sendable, Equatable {
    /// How many epochs were best for the cases that were left out inside it; 0: the fitted head alone.
    package var epochs: Int
    /// Of the cases that were not learned from, `[cases, classes]`, and their distances from those that were.
    package var logits: Matrix
    package var distances: [Double]
  }

  /// The head on frozen features.
  package let frozen: HeadTraining
  package let settings: FineTuningSettings
  /// Of every fold.
  package let parts: [Part]
  /// Of fine-tuning, out of fold.
  package let judgement: Judgement
  package let temperature: Double
  /// What was trained on all cases and is written; `nil` where the frozen head is.
  package private(set) var trained: TrainedStages?

  /// - Parameters:
  ///   - features: of all cases, the columns of `frozen`'s candidates.
  ///   - sessionByteLimit: what sessions for inputs of several shapes may take together.
  ///   - state: what an earlier run came to.
  ///   - note: told of what is done, for people.
  package init(
    _ frozen: HeadTraining, features: Matrix, cases: FineTuningCases, model: Model,
    settings: FineTuningSettings, seed: UInt64, threads: Int, sessionByteLimit: Int,
    state: inout FineTuningState, note: (String) throws -> Void
  ) throws {
    self.frozen = frozen
    self.settings = settings
    let cohort = frozen.cohort
    let folds = frozen.crossValidation.folds
    let foldCount = frozen.judgement.foldMetrics.count
    var logits = frozen.crossValidation.nestedLogits
    var distances = frozen.judgement.foreignness?.distances ?? []
    var parts: [Part] = []
    let everyone = Array(folds.indices)
    func trainer(_ part: Int, _ option: CrossValidation.Option) -> PartTraining {
      PartTraining(
        part: part, model: model, cases: cases, cohort: cohort, settings: settings,
        features: features.selecting(columns: frozen.candidates[option.candidate].columns),
        pooling: frozen.candidates[option.candidate].pooling
          ?? Pooling.mean.entries(
            stageCount: model.description.architecture.featuresPerStage.count), c: option.c,
        folds: foldCount, threads: threads, sessionByteLimit: sessionByteLimit)
    }
    for fold in 0..<foldCount {
      let test = everyone.filter { folds[$0] == fold }
      func known() throws(TrainingError) -> FineTuning.Part? {
        try state.part(
          fold, cases: test.count, classes: logits.columns, epochs: settings.epochs)
      }
      if try known() == nil {
        let option = frozen.crossValidation.nestedChoices[fold]
        let trained = try trainer(fold, option).run(
          everyone.filter { folds[$0] != fold }, test: test, state: &state
        ) { try note("fold \(fold + 1) of \(foldCount), \($0)") }
        try state.note(trained.part, part: fold)
      }
      guard let part = try known() else { continue }
      parts.append(part)
      // Where the fitted head alone was best, what is known of it stays.
      guard part.epochs > 0 else { continue }
      for (row, index) in test.enumerated() {
        for column in 0..<logits.columns { logits[index, column] = part.logits[row, column] }
        distances[index] = part.distances[row]
      }
    }
    self.parts = parts
    temperature = Temperature.fit(logits: logits, labels: cohort.labels)
    judgement = Judgement(
      cohort, logits: logits, temperature: temperature, folds: folds, foldCount: foldCount,
      distances: distances, seed: seed)
    guard judgement.metrics.logLoss < frozen.judgement.metrics.logLoss else { return }
    let option = frozen.crossValidation.choice
    trained = try trainer(foldCount, option).run(
      everyone, test: [], otherwise: Self.usualEpochs(parts), state: &state
    ) {
      try note("all cases, \($0)")
    }.stages
  }

  /// What to train all cases for where none of their own epochs is best, though the folds' were: it is networks of so
  /// many that were judged. The median of the folds that were trained, the lower of two.
  static func usualEpochs(_ parts: [Part]) -> Int {
    let trained = parts.map(\.epochs).filter { $0 > 0 }.sorted()
    return trained.isEmpty ? 0 : trained[(trained.count - 1) / 2]
  }
}

/// What training on all cases gave.
package struct TrainedStages: Sendable {
  /// By the state dict's names, the head's left out.
  package let values: [String: [Float]]
  /// The linear layer for features as they are.
  package let weight: Matrix
  package let bias: [Double]
  /// Pooled features of all cases by the trained network.
  package let features: Matrix
  package let epochs: Int
  /// Whether so many were best in the folds, since none was in all cases.
  package let isOfFolds: Bool
}

/// The training of one part: first inside it, to learn how many epochs are best, then on all of it.
private struct PartTraining {
  let part: Int
  let model: Model
  let cases: FineTuningCases
  let cohort: Cohort
  let settings: FineTuningSettings
  let features: Matrix
  let pooling: [Classifier.Pooling]
  let c: Double
  let folds: Int
  let threads: Int
  let sessionByteLimit: Int

  /// - Parameter usual: what to train for where no epoch is the best.
  func run(
    _ training: [Int], test: [Int], otherwise usual: Int = 0, state: inout FineTuningState,
    note: (String) throws -> Void
  ) throws -> (part: FineTuning.Part, stages: TrainedStages?) {
    let none = FineTuning.Part(
      epochs: 0, logits: Matrix(rows: 0, columns: 0), distances: [])
    var epochs: Int
    if let known = try state.bestEpochs(of: part, epochs: settings.epochs) {
      epochs = known
    } else {
      epochs = try bestEpochs(training, state: &state, note: note)
      state.note(bestEpochs: epochs, part: self.part)
    }
    let isUsual = epochs == 0
    if isUsual { epochs = usual }
    guard epochs > 0, let start = start(training) else { return (none, nil) }
    let run = try self.run(training, start, isInner: false)
    _ = try run.train(
      epochs: epochs, validation: [],
      from: try state.progress(of: run, epochs: epochs, part: part, isInner: false)
    ) { progress in
      try state.note(progress, of: run, part: part, isInner: false)
      try note("epoch \(progress.epoch) of \(epochs)")
    }
    let own = matrix(try run.plain(training).map(\.features))
    let standardization = Standardization(own)
    let distance = ForeignDistance(
      features: standardization.apply(to: own), labels: training.map { cases.labels[$0] },
      classCount: cases.classCount)
    let passes = try run.plain(test)
    let tested = matrix(passes.map(\.features))
    let done = FineTuning.Part(
      epochs: epochs, logits: matrix(passes.map(\.logits)),
      distances: test.isEmpty ? [] : distance.squares(standardization.apply(to: tested)))
    return (done, test.isEmpty ? stages(run, own, epochs, isOfFolds: isUsual) : nil)
  }

  /// How many epochs are best for cases that are left out, patients whole.
  private func bestEpochs(
    _ training: [Int], state: inout FineTuningState, note: (String) throws -> Void
  ) throws -> Int {
    let groups = training.map { cohort.groups[$0] }
    let count = min(folds, Set(groups).count)
    guard count > 1 else { return 0 }
    let inner = StratifiedGroupFolds.make(
      labels: training.map { cohort.labels[$0] }, groups: groups, count: count)
    let validation = training.indices.filter { inner[$0] == 0 }.map { training[$0] }
    let learned = training.indices.filter { inner[$0] != 0 }.map { training[$0] }
    guard !validation.isEmpty, let start = start(learned) else { return 0 }
    let run = try self.run(learned, start, isInner: true)
    return try run.train(
      epochs: settings.epochs, validation: validation,
      from: try state.progress(of: run, epochs: settings.epochs, part: part, isInner: true)
    ) { progress in
      try state.note(progress, of: run, part: part, isInner: true)
      try note("inner epoch \(progress.epoch) of \(settings.epochs)")
    }.bestEpoch
  }

  private func start(_ training: [Int]) -> FittedStart? {
    FittedStart(
      features: features.selecting(rows: training), labels: training.map { cases.labels[$0] },
      classCount: cases.classCount, c: c, classWeights: settings.classWeights)
  }

  private func run(
    _ training: [Int], _ start: FittedStart, isInner: Bool
  ) throws(RuntimeError) -> FineTuningRun {
    try FineTuningRun(
      model, cases: cases, training: training, pooling: pooling, start: start,
      settings: settings, stream: UInt64(2 * part + (isInner ? 1 : 0)), threads: threads,
      sessionByteLimit: sessionByteLimit)
  }

  private func stages(
    _ run: FineTuningRun, _ features: Matrix, _ epochs: Int, isOfFolds: Bool
  ) -> TrainedStages {
    let parameters = run.classifier.parameters
    let linear = run.classifier.linear
    var values: [String: [Float]] = [:]
    for entry in parameters.entries where entry.group > 0 {
      values[entry.name] = parameters.values(of: entry)
    }
    return TrainedStages(
      values: values, weight: linear.weight, bias: linear.bias, features: features, epochs: epochs,
      isOfFolds: isOfFolds)
  }

  private func matrix(_ rows: [[Double]]) -> Matrix {
    Matrix(rows: rows.count, columns: rows.first?.count ?? 0, values: rows.flatMap { $0 })
  }
}
