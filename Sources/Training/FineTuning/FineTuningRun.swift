// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat
internal import SWTRuntime

/// One training of the last stages and a head on some of the cases.
final class FineTuningRun {
  /// What training has come to after an epoch, to go on from later.
  struct Progress: Sendable {
    var epoch = 0
    /// Of every epoch so far, the one before the first included.
    var losses: [Double] = []
    var bestEpoch = 0
    /// To go on from; of a run that goes on itself they are what `stored` says.
    var values: [[Float]] = []
    var optimizer = Optimizer.State.none

    /// Whether a run can have come to so many epochs and losses.
    ///
    /// - Parameters:
    ///   - epochs: how many there may be.
    ///   - isValidated: whether every epoch had a loss.
    func isPossible(epochs: Int, isValidated: Bool) -> Bool {
      (0...epochs).contains(epoch) && losses.count == (isValidated ? epoch + 1 : 0)
        && losses.allSatisfy(\.isFinite) && (0...epoch).contains(bestEpoch)
    }
  }

  let classifier: TrainableClassifier
  private let cases: FineTuningCases
  private let settings: FineTuningSettings
  /// Those that are learned from.
  private let training: [Int]
  private let optimizer: Optimizer
  private let loss: Loss
  /// What tells this run's random numbers from others'.
  private let stream: UInt64

  /// - Parameters:
  ///   - start: the head that the run begins with, fitted to `training`.
  ///   - stream: which run it is.
  ///   - sessionByteLimit: what sessions for inputs of several shapes may take together.
  init(
    _ model: Model, cases: FineTuningCases, training: [Int], pooling: [Classifier.Pooling],
    start: FittedStart, settings: FineTuningSettings, stream: UInt64, threads: Int,
    sessionByteLimit: Int
  ) throws(RuntimeError) {
    self.cases = cases
    self.settings = settings
    self.training = training
    self.stream = stream
    classifier = try TrainableClassifier(
      model, stageCount: settings.unfrozenStages, pooling: pooling,
      standardization: start.standardization,
      head: (start.weight.values.map { Float($0) }, start.bias.map { Float($0) }),
      batchSize: settings.batchSize, windowCount: cases.windowCount, threads: threads,
      sessionByteLimit: sessionByteLimit)
    optimizer = try Optimizer(
      classifier.parameters, settings: settings.optimizer, threads: threads)
    loss = settings.loss(
      labels: training.map { cases.labels[$0] }, classCount: cases.classCount)
  }

  /// The numbers of what is being trained, and of every parameter how many steps it has taken.
  var stored: (arrays: [StoredNumbers], stepCounts: [Int]) {
    (classifier.parameters.stored + optimizer.stored, optimizer.stepCounts)
  }

  private var stepsPerEpoch: Int {
    (training.count + settings.batchSize - 1) / settings.batchSize
  }

  /// Trains for up to `epochs`.
  ///
  /// - Parameters:
  ///   - validation: cases whose loss decides when to stop and which epoch is best; none to train for all `epochs`.
  ///   - progress: where an earlier run was interrupted.
  ///   - note: told of every epoch; what it throws ends the run.
  func train(
    epochs: Int, validation: [Int], from progress: consuming Progress?,
    note: (Progress) throws -> Void
  ) throws -> Progress {
    var progress = progress ?? Progress()
    if progress.values.isEmpty {
      if !validation.isEmpty { progress.losses = [try meanLoss(validation)] }
    } else {
      classifier.parameters.restore(progress.values)
      optimizer.restore(progress.optimizer)
      (progress.values, progress.optimizer) = ([], .none)
    }
    let phases = TrainingPhases(settings, stepsPerEpoch: stepsPerEpoch)
    // A run that is taken up may be over already.
    while progress.epoch < epochs, !hasPatienceEnded(progress, phases) {
      try runEpoch(progress.epoch, phases)
      progress.epoch += 1
      if !validation.isEmpty {
        progress.losses.append(try meanLoss(validation))
        if progress.losses[progress.epoch] < progress.losses[progress.bestEpoch] {
          progress.bestEpoch = progress.epoch
        }
      }
      try note(progress)
    }
    return progress
  }

  /// Whether there was no better epoch for so many that none is waited for; not before every stage has begun to
  /// learn, and only where epochs have losses.
  private func hasPatienceEnded(_ progress: Progress, _ phases: TrainingPhases) -> Bool {
    !progress.losses.isEmpty && progress.epoch - progress.bestEpoch >= settings.patience
      && phases.trainedStages(epoch: progress.epoch - 1) == settings.unfrozenStages
  }

  /// Whether what an earlier run is said to have come to can be that of this one.
  ///
  /// - Parameters:
  ///   - epochs: how many there may be.
  ///   - isValidated: whether every epoch had a loss.
  func canGoOn(from progress: Progress, epochs: Int, isValidated: Bool) -> Bool {
    progress.isPossible(epochs: epochs, isValidated: isValidated)
      && classifier.parameters.takes(progress.values)
      && optimizer.takes(progress.optimizer, steps: progress.epoch * stepsPerEpoch)
  }

  private func runEpoch(_ epoch: Int, _ phases: TrainingPhases) throws {
    let random = CounterRandom(seed: settings.seed, stream: [stream, UInt64(epoch), 0])
    let views = CounterRandom(seed: settings.seed, stream: [stream, UInt64(epoch), 1])
    let order = training.sorted {
      let (first, second) = (random.bits(at: $0), random.bits(at: $1))
      return first != second ? first < second : $0 < $1
    }
    let trained = phases.trainedStages(epoch: epoch)
    for step in 0..<stepsPerEpoch {
      let batch = order.dropFirst(step * settings.batchSize).prefix(settings.batchSize)
      let targets = batch.map { Loss.Target.oneClass(cases.labels[$0]) }
      let total = loss.total(targets, classCount: cases.classCount)
      let windows = batch.map { index in
        cases.windows(index, view: views.integer(at: index, below: settings.views + 1))
      }
      try finite {
        try classifier.learn(windows, trainedStages: trained) { number, logits in
          loss.term(logits: logits, target: targets[number], total: total).gradient
        }
      }
      optimizer.step(rates: phases.rates(epoch: epoch, step: step))
    }
  }

  /// The plain views' cross-entropy, every case alike.
  private func meanLoss(_ indices: [Int]) throws -> Double {
    let loss = Loss.crossEntropy(weights: nil, smoothing: 0)
    var sum = 0.0
    for (index, pass) in zip(indices, try plain(indices)) {
      let term = loss.term(
        logits: pass.logits, target: .oneClass(cases.labels[index]), total: 1)
      sum += term.value
    }
    return sum / Double(indices.count)
  }

  /// The plain views of cases.
  func plain(_ indices: [Int]) throws -> [TrainableClassifier.Pass] {
    try finite { try classifier.forward(indices.map { cases.windows($0, view: 0) }) }
  }

  /// Features are finite before training, so that it is steps that were too large where they are not.
  private func finite<Value>(_ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as RuntimeError {
      guard case .notFinite = error.reason else { throw error }
      throw TrainingError.diverged
    }
  }
}

/// A head that training begins with, for standardised features.
struct FittedStart: Sendable {
  let standardization: Standardization
  let weight: Matrix
  let bias: [Double]

  /// `nil` where a class is missing among the cases.
  init?(
    features: Matrix, labels: [Int], classCount: Int, c: Double,
    classWeights: HeadModel.ClassWeights
  ) {
    let model = HeadModel.fit(
      features: features, labels: labels, classCount: classCount, cs: [c],
      classWeights: classWeights)[0]
    guard let linear = model.standardizedLinear else { return nil }
    standardization = model.standardization
    (weight, bias) = linear
  }
}

/// All cases with what is cached of them.
package struct FineTuningCases {
  package let labels: [Int]
  package let classCount: Int
  /// Of every case its views, the plain one first.
  private let views: [[CachedCase]]
  private let cache: ActivationCache

  package init(labels: [Int], classCount: Int, views: [[CachedCase]], cache: ActivationCache) {
    self.labels = labels
    self.classCount = classCount
    self.views = views
    self.cache = cache
  }

  /// How many windows of a shape plain views have.
  func windowCount(_ shape: [Int]) -> Int {
    views.reduce(0) { $0 + $1[0].windows.count { $0.shape == shape } }
  }

  func windows(_ index: Int, view: Int) -> [TrainableClassifier.Window] {
    views[index][view].windows(of: cache)
  }
}
