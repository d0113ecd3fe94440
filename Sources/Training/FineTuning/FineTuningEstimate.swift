// SPDX-License-Identifier: Apache-2.0
package import Pipeline
package import SWTFormat
package import SWTRuntime

/// What fine-tuning would take, before it is begun: sizes by count, times by a trial on zeros.
package struct FineTuningEstimate: Sendable {
  package let caseCount: Int
  package let windowCount: Int
  /// Of all cases and views.
  package let cacheByteCount: Int
  /// Parameters, gradients, the optimiser's memory, activations.
  package let trainingByteCount: Int
  /// The frozen part, at its largest case.
  package let frozenByteCount: Int
  /// For the frozen part of all cases and views, and for all epochs of all folds.
  package let frozenSeconds: Double
  package let trainingSeconds: Double
  /// For one window in a batch, there and back; the mean over all.
  package let stepSeconds: Double

  /// - Parameters:
  ///   - framings: how the network looks at every case.
  ///   - folds: of the cross-validation.
  package init(
    _ model: Model, framings: [InputFraming], settings: FineTuningSettings,
    pooling: [Classifier.Pooling], folds: Int, threads: Int
  ) throws(RuntimeError) {
    let stage = FrozenStages.boundaryStage(model, unfrozenStages: settings.unfrozenStages)
    let widths = model.description.architecture.featuresPerStage
    let own = pooling.filter { $0.stage >= widths.count - settings.unfrozenStages }
    let frozenPooling = pooling.filter { !own.contains($0) }
    let head = (
      weight: [Float](repeating: 0, count: pooling.featureCount(widths)),
      bias: [0 as Float]
    )
    let parameters = try TrainedParameters(
      model, stageCount: settings.unfrozenStages, head: head)
    var (cache, largestFrozen, largestTraining) = (0, 0, 0)
    var (frozenSeconds, stepSeconds) = (0.0, 0.0)
    var known: [[Int]: (boundary: Int, frozen: Double, step: Double)] = [:]
    for framing in framings {
      let shape = framing.inputShape
      if known[shape] == nil {
        var boundary = shape
        var frozen = 0.0
        if let stage {
          let program = try model.program(
            inputShape: shape,
            outputs: FrozenStages.outputs(boundary: stage, frozenPooling), threads: threads)
          boundary = program.shape(ofStage: stage) ?? shape
          largestFrozen = max(largestFrozen, program.byteCount)
          let session = try Session(program)
          let zeros = [Float](repeating: 0, count: shape.reduce(1, *))
          frozen = try Self.seconds { () throws(RuntimeError) in try session.run(zeros) }
        }
        let program = try model.trainingProgram(
          parameters, stageCount: settings.unfrozenStages,
          trainedStages: settings.unfrozenStages, inputShape: boundary, pooling: own,
          cases: settings.batchSize, threads: threads)
        largestTraining = max(largestTraining, program.byteCount)
        let session = try TrainingSession(program)
        let zeros = [Float](repeating: 0, count: boundary.reduce(1, *))
        let gradient = [Float](repeating: 0, count: own.featureCount(widths))
        // The first step finds its memory.
        let batch = try (0..<3).map { (_) throws(RuntimeError) in
          try Self.seconds { () throws(RuntimeError) in
            for number in 0..<program.caseCount { try session.load(zeros[...], case: number) }
            _ = try session.forward()
            session.backward([[Float]](repeating: gradient, count: program.caseCount))
          }
        }.min()
        known[shape] = (
          boundary.reduce(1, *), frozen, (batch ?? 0) / Double(program.caseCount)
        )
      }
      guard let own = known[shape] else { continue }
      let windows = Double(framing.windowCount)
      cache +=
        framing.windowCount * (settings.views + 1) * own.boundary
        * ActivationCache.byteCount(isHalf: stage != nil)
      frozenSeconds += windows * Double(settings.views + 1) * own.frozen
      stepSeconds += windows * own.step
    }
    caseCount = framings.count
    windowCount = framings.reduce(0) { $0 + $1.windowCount }
    cacheByteCount = cache
    let states = settings.method == .adamw ? 2 : 1
    trainingByteCount = parameters.byteCount / 2 * (2 + states) + largestTraining
    frozenByteCount = largestFrozen
    self.frozenSeconds = frozenSeconds
    // Every fold and all cases, each once inside and once as a whole, at most.
    self.stepSeconds = stepSeconds / Double(max(windowCount, 1))
    trainingSeconds = stepSeconds * Double(settings.epochs) * 2 * Double(folds)
  }

  private static func seconds(
    _ body: () throws(RuntimeError) -> Void
  ) throws(RuntimeError) -> Double {
    let start = ContinuousClock.now
    try body()
    return (ContinuousClock.now - start) / .seconds(1)
  }

  /// The most bytes that the process would hold.
  package func peakByteCount(isCacheInMemory: Bool) -> Int {
    CaseEstimate.baseByteCount
      + max(frozenByteCount, trainingByteCount) + (isCacheInMemory ? cacheByteCount : 0)
  }

  package var json: JSONValue {
    [
      "cases": .integer(caseCount), "windows": .integer(windowCount),
      "cache_bytes": .integer(cacheByteCount), "training_bytes": .integer(trainingByteCount),
      "frozen_bytes": .integer(frozenByteCount), "frozen_seconds": .number(frozenSeconds),
      "training_seconds_at_most": .number(trainingSeconds), "step_seconds": .number(stepSeconds),
    ]
  }

  package var lines: [String] {
    func minutes(_ seconds: Double) -> String {
      seconds < 90 ? "\(Int(seconds.rounded(.up))) s" : "\(Int((seconds / 60).rounded(.up))) min"
    }
    return [
      "\(caseCount) cases, \(windowCount) window\(windowCount == 1 ? "" : "s")",
      "cache: \(ByteCount.text(cacheByteCount))",
      "memory: \(ByteCount.text(peakByteCount(isCacheInMemory: true))) with the cache in it, "
        + "\(ByteCount.text(peakByteCount(isCacheInMemory: false))) with the cache in a file",
      "time: about \(minutes(frozenSeconds)) for the frozen part, at most about "
        + "\(minutes(trainingSeconds)) for training",
    ]
  }
}
