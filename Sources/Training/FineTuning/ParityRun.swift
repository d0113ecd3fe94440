// SPDX-License-Identifier: Apache-2.0
package import FileIO
internal import NPY
internal import SWTFormat
package import SWTRuntime

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Gradients and steps on exact batches, written as PyTorch's goldens are: for comparing with PyTorch.
package struct ParityRun {
  private static let steps = 20
  private static let shownSteps = [1, 5, 20]

  private let model: Model
  private let specification: ParitySpecification
  private let batches: [ParityBatches.Batch]
  private let threads: Int
  private let memoryLimit: Int?
  private let head: (weight: [Float], bias: [Float])

  /// - Throws: `RuntimeError`, or `TrainingError.batches` where the model's head has other classes, or
  ///   reads several stages.
  package init(
    model: Model, specification: ParitySpecification, batches: ParityBatches, threads: Int,
    memoryLimit: Int?
  ) throws {
    guard let classifier = model.description.classifier,
      let weight = model.values(ofTensor: Classifier.weightName)
    else { throw RuntimeError(.noClassifier) }
    guard classifier.classNames.count == specification.classCount else {
      throw TrainingError.batches(
        problem: "the head has \(classifier.classNames.count) classes, the specification "
          + "\(specification.classCount)")
    }
    self.model = model
    self.specification = specification
    self.batches = batches.batches
    self.threads = threads
    self.memoryLimit = memoryLimit
    head = (
      weight,
      model.values(ofTensor: Classifier.biasName)
        ?? [Float](repeating: 0, count: specification.classCount)
    )
  }

  private var stageCount: Int { model.description.architecture.featuresPerStage.count }

  /// A classifier as the model has it, of which the last stages are run.
  private func classifier(stageCount: Int) throws -> TrainableClassifier {
    try TrainableClassifier(
      model, stageCount: stageCount,
      pooling: model.description.classifier?.pooling
        ?? [Classifier.Pooling(stage: self.stageCount - 1, statistic: .mean)],
      head: head, batchSize: batches.map(\.targets.count).max() ?? 1, threads: threads,
      memoryLimit: memoryLimit)
  }

  /// Writes `grad.npz` and `steps.npz`.
  package func write(to folder: String, inputs: [MappedFile.Identity]) throws {
    try Folder.make(folder)
    try gradients().write(to: "\(folder)/grad.npz", replacing: true, inputs: inputs)
    var archive = NPZArchive()
    for (name, schedule) in specification.schedules {
      try addSteps(of: name, schedule, to: &archive)
    }
    try archive.write(to: "\(folder)/steps.npz", replacing: true, inputs: inputs)
  }

  private func gradients() throws -> NPZArchive {
    let classifier = try classifier(stageCount: stageCount)
    let batch = batches[0]
    let (loss, logits) = try run(classifier, batch, trainedStages: stageCount)
    var archive = NPZArchive()
    archive.add("loss", shape: [], [loss])
    archive.add(
      "logits", shape: [batch.targets.count, specification.classCount], logits.flatMap { $0 })
    for entry in classifier.parameters.entries {
      archive.add(
        "grad/\(entry.name)", shape: entry.shape,
        classifier.parameters.gradient(of: entry).map { Double($0) })
    }
    return archive
  }

  private func addSteps(
    of name: String, _ schedule: ParitySpecification.Schedule, to archive: inout NPZArchive
  ) throws {
    // The whole network is run, of which the last stages learn.
    let unfrozen = specification.unfrozenStages
    let classifier = try classifier(stageCount: stageCount)
    let parameters = classifier.parameters
    let optimizer = try Optimizer(parameters, settings: schedule.optimizer, threads: threads)
    var (losses, norms): ([Double], [Double]) = ([], [])
    for step in 0..<Self.steps {
      let batch = batches[step % batches.count]
      losses.append(
        try run(classifier, batch, trainedStages: unfrozen).loss)
      let factor =
        step < schedule.warmup
        ? Double(step + 1) / Double(schedule.warmup)
        : pow(
          1 - Double(step - schedule.warmup) / Double(Self.steps - schedule.warmup), 0.9)
      norms.append(
        optimizer.step(rates: schedule.rates.rates(stages: unfrozen, factor: factor)))
      guard Self.shownSteps.contains(step + 1) else { continue }
      for entry in parameters.entries where entry.group <= unfrozen {
        archive.add(
          "\(name)/\(step + 1)/\(entry.name)", shape: entry.shape,
          parameters.values(of: entry).map { Double($0) })
      }
    }
    archive.add("\(name)/losses", shape: [losses.count], losses)
    archive.add("\(name)/norms", shape: [norms.count], norms)
  }

  /// One batch, there and back.
  private func run(
    _ classifier: TrainableClassifier, _ batch: ParityBatches.Batch, trainedStages: Int
  ) throws -> (loss: Double, logits: [[Double]]) {
    let total = specification.loss.total(
      batch.targets, classCount: specification.classCount)
    var loss = 0.0
    var logits: [[Double]] = []
    let windows = batch.targets.indices.map { index in
      [TrainableClassifier.Window(boundary: { batch.input(index) }, shape: batch.shape)]
    }
    try classifier.learn(windows, trainedStages: trainedStages) { index, own in
      let term = specification.loss.term(logits: own, target: batch.targets[index], total: total)
      loss += term.value
      logits.append(own)
      return term.gradient
    }
    return (loss, logits)
  }
}
