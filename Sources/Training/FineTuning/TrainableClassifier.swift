// SPDX-License-Identifier: Apache-2.0
internal import Pipeline
package import SWTFormat
package import SWTRuntime

/// Some last stages of an encoder with a linear head on pooled features, as training sees them: a batch of cases
/// forward and backward, gradients added up until an optimiser takes its step.
package final class TrainableClassifier {
  package let parameters: TrainedParameters
  package let stageCount: Int
  private let model: Model
  private let threads: Int
  /// What is pooled, in the head's order; that of frozen stages comes from outside.
  private let pooling: [Classifier.Pooling]
  /// What the head's features are made of; `nil` for features as they are.
  private let standardization: Standardization?
  private let widths: [Int]
  /// Sessions of the last inputs' shapes.
  private var sessions: [Key: TrainingSession] = [:]
  private let sessionByteLimit: Int
  /// What sessions of several shapes take at most where memory is no matter.
  package static let sessionByteLimit = 1 << 30
  private let memoryLimit: Int?
  private let batchSize: Int
  private let windowCount: ([Int]) -> Int

  private struct Key: Hashable {
    let shape: [Int]
    let trainedStages: Int
  }

  /// One input of the stages that are run.
  package struct Window {
    /// What the first of them reads, row-major; nothing where none is run. Fetched when it is needed.
    package let boundary: () throws -> ArraySlice<Float>
    package let shape: [Int]
    /// The pooled features of the stages before.
    package let frozen: [Classifier.Pooling: [Float]]
    /// The part of the input that features may be pooled of.
    package let region: PoolingRegion?

    package init(
      boundary: @escaping () throws -> ArraySlice<Float>, shape: [Int],
      frozen: [Classifier.Pooling: [Float]] = [:],
      region: PoolingRegion? = nil
    ) {
      self.boundary = boundary
      self.shape = shape
      self.frozen = frozen
      self.region = region
    }
  }

  /// What a case comes to.
  package struct Pass {
    package let logits: [Double]
    /// Pooled, the mean over windows, as they are.
    package let features: [Double]
  }

  /// - Parameters:
  ///   - stageCount: how many stages are run, the last ones.
  ///   - pooling: what the head reads.
  ///   - standardization: of the features, before the head.
  ///   - head: `weight`, `[classes, features]`, and `bias`.
  ///   - batchSize: how many cases are to run together.
  ///   - windowCount: how many windows of a shape there are at all: sessions for more would take memory for nothing.
  ///   - sessionByteLimit: what sessions of several shapes may take together.
  ///   - memoryLimit: bytes that a session and the parameters may take.
  package init(
    _ model: Model, stageCount: Int, pooling: [Classifier.Pooling],
    standardization: Standardization? = nil, head: (weight: [Float], bias: [Float]),
    batchSize: Int, windowCount: @escaping ([Int]) -> Int = { _ in .max }, threads: Int,
    sessionByteLimit: Int = TrainableClassifier.sessionByteLimit, memoryLimit: Int? = nil
  ) throws(RuntimeError) {
    self.model = model
    self.stageCount = stageCount
    self.pooling = pooling
    self.standardization = standardization
    self.batchSize = batchSize
    self.windowCount = windowCount
    self.memoryLimit = memoryLimit
    self.threads = threads
    self.sessionByteLimit = sessionByteLimit
    widths = model.description.architecture.featuresPerStage
    parameters = try TrainedParameters(model, stageCount: stageCount, head: head)
  }

  private var firstStage: Int { widths.count - stageCount }

  /// Runs cases; of each its windows, whose features are averaged.
  package func forward(_ cases: [[Window]]) throws -> [Pass] {
    try rounds(cases, trainedStages: 0).flatMap { round in
      try forward(cases[round], trainedStages: 0)
    }
  }

  /// Runs cases there and back, and adds to the gradients.
  ///
  /// - Parameters:
  ///   - trainedStages: how many stages get gradients, the last ones.
  ///   - gradient: the loss' gradient by the logits of a case, given by its number.
  package func learn(
    _ cases: [[Window]], trainedStages: Int, gradient: (Int, [Double]) -> [Double]
  ) throws {
    for round in try rounds(cases, trainedStages: trainedStages) {
      let passes = try forward(cases[round], trainedStages: trainedStages)
      let gradients = zip(round, passes).map { gradient($0, $1.logits) }
      try backward(cases[round], passes, gradients, trainedStages: trainedStages)
    }
  }

  /// Cases that go there and back together: neighbours of one window and one shape, or one case of several windows.
  private func rounds(
    _ cases: [[Window]], trainedStages: Int
  ) throws -> [Range<Int>] {
    var rounds: [Range<Int>] = []
    while let start = rounds.last?.upperBound ?? cases.indices.first, start < cases.count {
      let windows = cases[start...].prefix { $0.count == 1 }.flatMap { $0 }
      let count = try batches(windows, trainedStages: trainedStages).first?.count ?? 1
      rounds.append(start..<start + count)
    }
    return rounds
  }

  /// Windows that run at the same time: neighbours of one shape.
  private func batches(
    _ windows: [Window], trainedStages: Int
  ) throws -> [Range<Int>] {
    var batches: [Range<Int>] = []
    while let start = batches.last?.upperBound ?? windows.indices.first, start < windows.count {
      let shape = windows[start].shape
      let limit =
        stageCount == 0 || caseLimit(shape) == 1
        ? 1 : try session(shape, trainedStages: trainedStages).program.caseCount
      let count = windows[start...].prefix(limit).prefix { $0.shape == shape }.count
      batches.append(start..<start + count)
    }
    return batches
  }

  private func forward(
    _ cases: ArraySlice<[Window]>, trainedStages: Int
  ) throws -> [Pass] {
    let windows = cases.flatMap { $0 }
    var own: [[Float]] = []
    for batch in try batches(windows, trainedStages: trainedStages) {
      own += try run(windows[batch], trainedStages: trainedStages)
    }
    var next = 0
    return cases.map { windows in
      var features: [Double] = []
      for window in windows {
        let whole = merged(own[next], window.frozen)
        next += 1
        features =
          features.isEmpty
          ? whole.map { Double($0) } : zip(features, whole).map { $0 + Double($1) }
      }
      if windows.count > 1 { features = features.map { $0 / Double(windows.count) } }
      return Pass(logits: logits(standardized(features)), features: features)
    }
  }

  /// After `forward` of the same cases.
  private func backward(
    _ cases: ArraySlice<[Window]>, _ passes: [Pass], _ gradients: [[Double]], trainedStages: Int
  ) throws {
    let back = zip(passes, gradients).map { pass, gradient in
      headBackward(standardized(pass.features), gradient)
    }
    guard trainedStages > 0 else { return }
    let windows = cases.flatMap { $0 }
    let windowGradients = zip(cases, back).flatMap { windows, back in
      let share = back.map { Float($0 / Double(windows.count)) }
      return [[Float]](repeating: ownPart(share), count: windows.count)
    }
    let batches = try batches(windows, trainedStages: trainedStages)
    for batch in batches {
      // A session holds what its last batch left.
      if batches.count > 1 { _ = try run(windows[batch], trainedStages: trainedStages) }
      try session(windows[batch.lowerBound].shape, trainedStages: trainedStages)
        .backward(Array(windowGradients[batch]))
    }
  }

  /// Adds to the head's gradients.
  ///
  /// - Returns: the gradient of a case's features as they are.
  private func headBackward(_ features: [Double], _ gradient: [Double]) -> [Double] {
    guard let weight = parameters[TrainedParameters.headWeight],
      let bias = parameters[TrainedParameters.headBias]
    else { preconditionFailure("every classifier has a head") }
    parameters.addGradient(gradient.map { Float($0) }, of: bias)
    parameters.addGradient(
      gradient.flatMap { row in features.map { Float(row * $0) } }, of: weight)
    let values = parameters.values(of: weight)
    return features.indices.map { column in
      let sum = gradient.indices.reduce(0) {
        $0 + gradient[$1] * Double(values[$1 * features.count + column])
      }
      return sum / (standardization?.scale[column] ?? 1)
    }
  }

  /// The linear layer for features as they are, `[classes, features]`.
  package var linear: (weight: Matrix, bias: [Double]) {
    guard let weight = parameters[TrainedParameters.headWeight].map(parameters.values(of:)),
      let bias = parameters[TrainedParameters.headBias].map(parameters.values(of:))
    else { preconditionFailure("every classifier has a head") }
    var folded = Matrix(
      rows: bias.count, columns: weight.count / bias.count, values: weight.map { Double($0) })
    var shifted = bias.map { Double($0) }
    if let standardization {
      for row in 0..<folded.rows {
        for column in 0..<folded.columns {
          folded[row, column] /= standardization.scale[column]
          shifted[row] -= folded[row, column] * standardization.mean[column]
        }
      }
    }
    return (folded, shifted)
  }

  // MARK: - Features

  private func standardized(_ features: [Double]) -> [Double] {
    guard let standardization else { return features }
    return features.enumerated().map {
      ($1 - standardization.mean[$0]) / standardization.scale[$0]
    }
  }

  private func logits(_ features: [Double]) -> [Double] {
    guard let weight = parameters[TrainedParameters.headWeight].map(parameters.values(of:)),
      let bias = parameters[TrainedParameters.headBias].map(parameters.values(of:))
    else { return [] }
    return bias.enumerated().map { row, bias in
      let first = row * features.count
      return features.indices.reduce(Double(bias)) {
        $0 + Double(weight[first + $1]) * features[$1]
      }
    }
  }

  /// Features of stages that are run and of those that are not, in the head's order.
  private func merged(_ own: [Float], _ frozen: [Classifier.Pooling: [Float]]) -> [Float] {
    var start = 0
    return pooling.flatMap { entry in
      let width = widths[entry.stage]
      guard entry.stage >= firstStage else { return frozen[entry] ?? [] }
      defer { start += width }
      return Array(own[start..<start + width])
    }
  }

  /// Of all features those of stages that are run.
  private func ownPart(_ features: [Float]) -> [Float] {
    var start = 0
    return pooling.flatMap { entry in
      defer { start += widths[entry.stage] }
      let part = features[start..<start + widths[entry.stage]]
      return entry.stage >= firstStage ? Array(part) : []
    }
  }

  // MARK: - Sessions

  /// The pooled features of the stages that are run, of windows that run together.
  private func run(
    _ windows: ArraySlice<Window>, trainedStages: Int
  ) throws -> [[Float]] {
    guard stageCount > 0, let first = windows.first else { return windows.map { _ in [] } }
    let session = try session(first.shape, trainedStages: trainedStages)
    for (number, window) in windows.enumerated() {
      try session.load(try window.boundary(), case: number, region: window.region)
    }
    return try session.forward()
  }

  private func caseLimit(_ shape: [Int]) -> Int { min(batchSize, windowCount(shape)) }

  private func session(
    _ shape: [Int], trainedStages: Int
  ) throws -> TrainingSession {
    let key = Key(shape: shape, trainedStages: trainedStages)
    if let known = sessions[key] { return known }
    let program = try model.trainingProgram(
      parameters, stageCount: stageCount, trainedStages: trainedStages, inputShape: shape,
      pooling: pooling.filter { $0.stage >= firstStage },
      cases: caseLimit(shape), threads: threads)
    let needed = program.byteCount + parameters.byteCount
    if let memoryLimit, needed > memoryLimit {
      throw PipelineError(.tooLarge(.running, needed: needed, limit: memoryLimit))
    }
    let held = sessions.values.reduce(0) { $0 + $1.program.byteCount }
    if held + program.byteCount > sessionByteLimit { sessions = [:] }
    let session = try TrainingSession(program)
    sessions[key] = session
    return session
  }
}
