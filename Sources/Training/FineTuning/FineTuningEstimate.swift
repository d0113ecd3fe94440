// SPDX-License-Identifier: Apache-2.0
package import Pipeline
package import SWTFormat
package import SWTRuntime

/// What fine-tuning would take, before it is begun: memory by count, times by a trial on zeros.
package struct FineTuningEstimate: Sendable {
  /// Seconds, as far as a trial tells.
  package struct Times: Sendable {
    /// For the frozen part of all cases and views, and for all epochs of all folds.
    package fileprivate(set) var frozen = 0.0
    package fileprivate(set) var training = 0.0
    /// For one window in a batch, there and back; the mean over all.
    package fileprivate(set) var step = 0.0
  }

  /// What running the frozen encoder over a case takes.
  package struct Scan: Sendable {
    fileprivate let framing: InputFraming
    fileprivate let peakByteCount, preparingByteCount: Int
    /// What it leaves to the next case where there is the memory.
    fileprivate let leftByteCount: Int

    package init(_ estimate: CaseEstimate) {
      framing = estimate.framing
      peakByteCount = estimate.peakByteCount
      preparingByteCount = estimate.preparingByteCount
      leftByteCount = estimate.program.byteCount
    }
  }

  package let caseCount: Int
  package private(set) var windowCount = 0
  /// Of all cases and views.
  package private(set) var cacheByteCount = 0
  /// Parameters, gradients, the optimiser's memory, and activations of the largest input.
  package var trainingByteCount: Int { parameterByteCount + largestSession }
  /// The frozen part, at its largest case.
  package private(set) var frozenByteCount = 0
  /// `nil` as long as nothing was tried.
  package private(set) var times: Times?
  /// What an earlier run left, which is held until training goes on from it.
  package var resumedByteCount = 0

  private let network: TrainedNetwork
  private let folds: Int
  /// What the network sees, each size once.
  private var sizes: [Size] = []
  var sizeCount: Int { sizes.count }
  /// Held all the time: the process, the model, what is kept of windows beside the cache.
  private var heldByteCount: Int
  /// Parameters, gradients, and what an optimiser remembers of them.
  private let parameterByteCount: Int
  /// Sessions of training: the largest one, and those of all sizes and phases together.
  private var largestSession = 0
  private var allSessions = 0
  /// The process while features of the frozen encoder are made: at least, and where nothing is short.
  private var leastForFeatures = 0
  private var mostForFeatures = 0
  /// For preparing a case and running the frozen part over its views.
  private var viewByteCount = 0
  /// For a window on its way from the cache, a parameter on its way to the state, and for fitting.
  private var passingByteCount = 0

  /// - Parameters:
  ///   - pooling: what the head may read.
  ///   - folds: of the cross-validation.
  package init(
    _ model: Model, scans: [Scan], settings: FineTuningSettings,
    pooling: [Classifier.Pooling], classCount: Int, folds: Int, threads: Int
  ) throws(RuntimeError) {
    let network = TrainedNetwork(
      model: model, settings: settings, pooling: pooling, classCount: classCount, threads: threads)
    self.network = network
    self.folds = folds
    caseCount = scans.count
    var sizes: [Size] = []
    /// Of every scan its size.
    let positions = scans.map { scan in
      let shape = scan.framing.inputShape
      if let known = sizes.firstIndex(where: { $0.input == shape }) { return known }
      sizes.append(Size(input: shape, boundary: shape))
      return sizes.count - 1
    }
    for (scan, position) in zip(scans, positions) {
      sizes[position].windows += scan.framing.windowCount
    }
    let parameters = try network.parameters()
    let states = settings.method == .adamw ? 2 : 1
    parameterByteCount =
      parameters.byteCount / 2 * (2 + states) + parameters.turnedByteCount
    heldByteCount = CaseEstimate.baseByteCount + model.byteCount
    for position in sizes.indices {
      if let stage = network.boundaryStage,
        let program = try network.frozenProgram(sizes[position].input)
      {
        sizes[position].boundary = program.shape(ofStage: stage) ?? []
        sizes[position].frozenByteCount = program.byteCount
        frozenByteCount = max(frozenByteCount, program.byteCount)
      }
      // Cases that are only looked at need no stage that learns.
      for trained in Set([0] + TrainingPhases(settings, stepsPerEpoch: 1).trainedStages) {
        let byteCount = try network.program(
          sizes[position], trainedStages: trained, parameters
        ).byteCount
        largestSession = max(largestSession, byteCount)
        allSessions += byteCount
      }
    }
    self.sizes = sizes
    let widths = model.description.architecture.featuresPerStage
    let number = MemoryLayout<Float>.stride
    let tellsNonzero = pooling.contains { $0.statistic.isOfNonzero }
    let frozenWidth = network.frozenPooling.featureCount(widths)
    var left = 0
    for (scan, position) in zip(scans, positions) {
      let framing = scan.framing
      let boundary = sizes[position].boundary.reduce(1, *)
      windowCount += framing.windowCount
      let views = framing.windowCount * (settings.views + 1)
      cacheByteCount += views * boundary * network.cachedNumberByteCount
      passingByteCount = max(passingByteCount, boundary * (number + network.cachedNumberByteCount))
      let voxels = framing.windowShape.reduce(1, *)
      // A dictionary's arrays beside the numbers, and runs along lines of the region.
      heldByteCount += views * (frozenWidth * number + network.frozenPooling.count * 96 + 256)
      if tellsNonzero { heldByteCount += views * voxels / (framing.windowShape.last ?? 1) * 24 }
      let window = framing.inputShape.reduce(number, *)
      // A transform reads one image, writes another, and works on a channel with double precision.
      let working =
        settings.views > 0 ? 3 * window + 4 * number * voxels : window
      let image = framing.imageShape.reduce(number, *)
      let inside = tellsNonzero ? image / framing.imageShape[0] + 3 * number * voxels : 0
      viewByteCount = max(
        viewByteCount, scan.preparingByteCount,
        image + inside + working + sizes[position].frozenByteCount)
      leastForFeatures = max(leastForFeatures, scan.peakByteCount)
      mostForFeatures = max(
        mostForFeatures, scan.peakByteCount, heldByteCount + left + scan.preparingByteCount)
      left = scan.leftByteCount
    }
    let width = pooling.featureCount(widths)
    let largest = parameters.entries.map { $0.shape.reduce(number, *) }.max() ?? 0
    let double = MemoryLayout<Double>.stride
    let side = min(caseCount, width) + 1
    passingByteCount += largest + double * (6 * caseCount * width + 4 * side * side)
    heldByteCount += double * caseCount * width
  }

  // MARK: - Memory

  /// With which it runs, one session of training at a time.
  package func leastByteCount(isCacheInMemory: Bool) -> Int {
    max(
      leastForFeatures, beside(isCacheInMemory) + viewByteCount,
      besideSessions(isCacheInMemory) + largestSession)
  }

  /// Whether the cache lies in memory where that is all there is.
  package func hasCacheInMemory(within limit: Int?) -> Bool {
    limit.map { leastByteCount(isCacheInMemory: true) <= $0 } ?? true
  }

  /// What sessions for several sizes may take together, which saves making them anew.
  package func sessionByteLimit(within limit: Int?) -> Int {
    let left = limit.map { $0 - besideSessions(hasCacheInMemory(within: limit)) } ?? .max
    return min(TrainableClassifier.sessionByteLimit, max(left, 0))
  }

  /// The most bytes that the process would hold, where it may hold so many.
  package func peakByteCount(within limit: Int?) -> Int {
    let isInMemory = hasCacheInMemory(within: limit)
    return max(
      leastForFeatures, min(mostForFeatures, limit ?? .max), beside(isInMemory) + viewByteCount,
      besideSessions(isInMemory)
        + max(largestSession, min(allSessions, sessionByteLimit(within: limit))))
  }

  private func beside(_ isCacheInMemory: Bool) -> Int {
    heldByteCount + resumedByteCount + (isCacheInMemory ? cacheByteCount : 0)
  }

  private func besideSessions(_ isCacheInMemory: Bool) -> Int {
    beside(isCacheInMemory) + parameterByteCount + passingByteCount
  }

  // MARK: - Time

  /// Tries every size on zeros; needs as much memory as a run needs at least.
  package mutating func measure() throws(RuntimeError) {
    let parameters = try network.parameters()
    let settings = network.settings
    var times = Times()
    for size in sizes {
      let windows = Double(size.windows)
      if let program = try network.frozenProgram(size.input) {
        let session = try Session(program)
        let zeros = [Float](repeating: 0, count: size.input.reduce(1, *))
        times.frozen +=
          windows * Double(settings.views + 1)
          * (try Self.seconds { () throws(RuntimeError) in try session.run(zeros) })
      }
      let program = try network.program(
        size, trainedStages: settings.unfrozenStages, parameters)
      let session = try TrainingSession(program)
      let zeros = [Float](repeating: 0, count: size.boundary.reduce(1, *))
      let gradient = [Float](repeating: 0, count: network.ownFeatureCount)
      // The first step finds its memory.
      let batch = try (0..<3).map { (_) throws(RuntimeError) in
        try Self.seconds { () throws(RuntimeError) in
          for number in 0..<program.caseCount { try session.load(zeros[...], case: number) }
          _ = try session.forward()
          session.backward([[Float]](repeating: gradient, count: program.caseCount))
        }
      }.min()
      times.step += windows * (batch ?? 0) / Double(program.caseCount)
    }
    // Every fold and all cases, each once inside and once as a whole, at most.
    times.training = times.step * Double(settings.epochs) * 2 * Double(folds)
    times.step /= Double(max(windowCount, 1))
    self.times = times
  }

  private static func seconds(
    _ body: () throws(RuntimeError) -> Void
  ) throws(RuntimeError) -> Double {
    let start = ContinuousClock.now
    try body()
    return (ContinuousClock.now - start) / .seconds(1)
  }
}

/// Inputs of one size.
private struct Size {
  let input: [Int]
  /// What the first stage that learns reads.
  var boundary: [Int]
  var windows = 0
  /// Of the frozen part.
  var frozenByteCount = 0
}

/// What is compiled to know its size.
private struct TrainedNetwork {
  let model: Model
  let settings: FineTuningSettings
  let pooling: [Classifier.Pooling]
  let classCount: Int
  let threads: Int

  private var widths: [Int] { model.description.architecture.featuresPerStage }
  private var firstStage: Int { widths.count - settings.unfrozenStages }
  var boundaryStage: Int? {
    FrozenStages.boundaryStage(model, unfrozenStages: settings.unfrozenStages)
  }
  var frozenPooling: [Classifier.Pooling] { pooling.filter { $0.stage < firstStage } }
  private var own: [Classifier.Pooling] { pooling.filter { $0.stage >= firstStage } }
  var ownFeatureCount: Int { own.featureCount(widths) }
  var cachedNumberByteCount: Int { ActivationCache.byteCount(isHalf: boundaryStage != nil) }

  func parameters() throws(RuntimeError) -> TrainedParameters {
    let head = (
      weight: [Float](repeating: 0, count: classCount * pooling.featureCount(widths)),
      bias: [Float](repeating: 0, count: classCount)
    )
    return try TrainedParameters(model, stageCount: settings.unfrozenStages, head: head)
  }

  /// `nil` where no stage is frozen.
  func frozenProgram(_ shape: [Int]) throws(RuntimeError) -> Program? {
    guard let stage = boundaryStage else { return nil }
    return try model.unprepared.program(
      inputShape: shape, outputs: FrozenStages.outputs(boundary: stage, frozenPooling),
      threads: threads)
  }

  func program(
    _ size: Size, trainedStages: Int, _ parameters: TrainedParameters
  ) throws(RuntimeError) -> TrainingProgram {
    try model.trainingProgram(
      parameters, stageCount: settings.unfrozenStages, trainedStages: trainedStages,
      inputShape: size.boundary, pooling: own, cases: min(settings.batchSize, size.windows),
      threads: threads)
  }
}
