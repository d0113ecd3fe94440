// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CaseCommands
import CommandLineInterface
import FileIO
import Network
import Pipeline
import SWTFormat
import SWTRuntime
import Training

/// A model and scans that its last stages are trained on.
struct FineTuningSource {
  let model: Model
  let file: SWTFile
  let settings: FineTuningSettings
  let threads: Int
  let candidates: [CrossValidation.Candidate]
  /// What the columns of features are.
  private let layout: [Classifier.Pooling]
  let list: CaseList
  /// In bytes.
  let memoryLimit: Int?
  private let folds: Int

  init(
    model path: String, table: LabelledTable, settings: FinetuneArguments, labels: LabelArguments,
    scans: ScanArguments, pooling choices: [Pooling]
  ) throws {
    model = try Model(contentsOf: path)
    file = try SWTFile(modelAt: path)
    guard file.description.folds.isEmpty else {
      throw TrainingError.features(
        problem: "the model holds several folds, of which none can be trained alone")
    }
    try model.description.checkTrainable()
    let widths = model.description.architecture.featuresPerStage
    self.settings = try settings.settings(seed: labels.seed, stageCount: widths.count)
    threads = scans.threads ?? ProcessorCount.available
    memoryLimit = MemoryBudget(limit: scans.memory.maxMemory).limit
    folds = labels.cv
    let layout = Pooling.layout(for: choices, stageCount: widths.count)
    self.layout = layout
    candidates = choices.map { CrossValidation.Candidate($0, of: layout, widths: widths) }
    list = try scans.list(table, for: model.description)
  }

  var stageCount: Int { model.description.architecture.featuresPerStage.count }

  /// What gives the features of the frozen encoder.
  func pipeline(_ scans: ScanArguments) -> EncoderPipeline {
    // What it makes of weights goes with it.
    scans.pipeline(model.unprepared, outputs: SessionOutputs(pooled: true), pooling: layout)
  }

  /// What all candidates together read.
  private var pooling: [Classifier.Pooling] {
    let read = candidates.flatMap { $0.pooling ?? Pooling.mean.entries(stageCount: stageCount) }
    return layout.filter(read.contains)
  }

  /// What a run is made of, the content of all scans too, which are read for it: a state of another one is not taken
  /// up.
  func fingerprint(table: LabelledTable, scans: ScanArguments) throws -> String {
    let content = try list.entries.map { entry in
      do {
        try entry.checkScan()
        return try CaseIdentity(of: entry).files.map(\.sha256)
      } catch let error as any Failure { throw CaseFailure(name: entry.name, error: error) }
    }
    let text: JSONValue = [
      "model": .string(file.modelID), "settings": .object(settings.json),
      "seed": .integer(Int(settings.seed)), "folds": .integer(folds),
      "threads": .integer(threads), "candidates": JSONValue(candidates.map(\.name)),
      "cases": JSONValue(table.cases), "labels": JSONValue(table.labels),
      "groups": table.groups.map { JSONValue($0) } ?? .null,
      "scans": .array(content.map { JSONValue($0) }), "dicom": JSONValue(scans.dicom.spelled),
      "version": .string(NNTrain.version),
    ]
    return SHA256.hex(SHA256.digest(of: Bytes(Array(text.prettyText.utf8))))
  }

  /// What a state of an earlier run has to fit.
  func outline(_ cohort: Cohort, folds: [Int]) -> FineTuningState.Outline {
    let classCount = cohort.classes.count
    let widths = model.description.architecture.featuresPerStage
    return FineTuningState.Outline(
      folds: folds, foldCount: self.folds, classCount: classCount, epochs: settings.epochs,
      batchSize: settings.batchSize
    ) { values in
      // Any of the candidates may have been chosen.
      try candidates.contains { candidate in
        let pooling = candidate.pooling ?? Pooling.mean.entries(stageCount: stageCount)
        let width = pooling.featureCount(widths)
        let zeros = [Float](repeating: 0, count: classCount * width)
        return try TrainedParameters(
          model, stageCount: settings.unfrozenStages,
          head: (zeros, [Float](repeating: 0, count: classCount))
        ).takes(values)
      }
    }
  }

  private var frozenStages: FrozenStages {
    FrozenStages(
      model: model, settings: settings, pooling: pooling, threads: threads,
      memoryLimit: memoryLimit)
  }

  /// What it would take; reads every scan. Times are tried only where there is the memory to.
  func estimate(
    _ cohort: Cohort, _ scans: ScanArguments, resumedByteCount: Int = 0
  ) throws -> FineTuningEstimate {
    let pipeline = pipeline(scans)
    let cases = try list.entries.map { entry in
      do {
        let scan = try pipeline.read(entry)
        return try FineTuningEstimate.Scan(pipeline.estimate(scan))
      } catch let error as any Failure { throw CaseFailure(name: entry.name, error: error) }
    }
    var estimate = try FineTuningEstimate(
      model, scans: cases, settings: settings, pooling: pooling,
      classCount: cohort.classes.count, folds: folds, threads: threads)
    estimate.resumedByteCount = resumedByteCount
    if estimate.leastByteCount(isCacheInMemory: false) <= memoryLimit ?? .max {
      try estimate.measure()
    }
    return estimate
  }

  /// Runs the frozen part over all cases and views, once.
  ///
  /// - Parameter folder: where the cache lies, where it does not fit into memory.
  func cachedCases(
    _ cohort: Cohort, _ estimate: FineTuningEstimate, folder: String, reporter: Reporter
  ) throws -> FineTuningCases {
    let cache = try ActivationCache(
      folder: estimate.hasCacheInMemory(within: memoryLimit) ? nil : folder,
      isHalf: settings.unfrozenStages < stageCount)
    var frozen = frozenStages
    var views: [[CachedCase]] = []
    for (index, entry) in list.entries.enumerated() {
      do {
        views.append(try frozen.run(entry, case: index, into: cache))
        Allocation.giveBack()
      } catch let error as any Failure { throw CaseFailure(name: entry.name, error: error) }
      reporter.show(progress: "\(index + 1) of \(list.entries.count) scans are cached")
    }
    reporter.clearProgress()
    return FineTuningCases(
      labels: cohort.labels, classCount: cohort.classes.count, views: views, cache: cache)
  }
}
