// SPDX-License-Identifier: Apache-2.0
package import SWTFormat
package import SWTRuntime

/// Some last stages of an encoder with a linear head on pooled features, as training sees them: case by case
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

  private struct Key: Hashable {
    let shape: [Int]
    let trainedStages: Int
  }

  /// One input of the stages that are run.
  package struct Window: Sendable {
    /// What the first of them reads, row-major; nothing where none is run.
    package let boundary: ArraySlice<Float>
    package let shape: [Int]
    /// The pooled features of the stages before.
    package let frozen: [Classifier.Pooling: [Float]]
    /// The part of the input that features may be pooled of.
    package let region: PoolingRegion?

    package init(
      boundary: ArraySlice<Float>, shape: [Int], frozen: [Classifier.Pooling: [Float]] = [:],
      region: PoolingRegion? = nil
    ) {
      self.boundary = boundary
      self.shape = shape
      self.frozen = frozen
      self.region = region
    }
  }

  /// A case's way to its logits, and what the way back needs.
  package struct Pass {
    package let logits: [Double]
    /// Pooled, the mean over windows, as they are.
    package let features: [Double]
    fileprivate let windows: [Window]
    fileprivate let trainedStages: Int
  }

  /// - Parameters:
  ///   - stageCount: how many stages are run, the last ones.
  ///   - pooling: what the head reads.
  ///   - standardization: of the features, before the head.
  ///   - head: `weight`, `[classes, features]`, and `bias`.
  ///   - sessionByteLimit: what sessions of several shapes may take together.
  package init(
    _ model: Model, stageCount: Int, pooling: [Classifier.Pooling],
    standardization: Standardization? = nil, head: (weight: [Float], bias: [Float]), threads: Int,
    sessionByteLimit: Int = 1 << 30
  ) throws(RuntimeError) {
    self.model = model
    self.stageCount = stageCount
    self.pooling = pooling
    self.standardization = standardization
    self.threads = threads
    self.sessionByteLimit = sessionByteLimit
    widths = model.description.architecture.featuresPerStage
    parameters = try TrainedParameters(model, stageCount: stageCount, head: head)
  }

  private var firstStage: Int { widths.count - stageCount }

  /// Runs a case.
  ///
  /// - Parameters:
  ///   - windows: of the case; their features are averaged.
  ///   - trainedStages: how many stages are to get gradients afterwards.
  package func forward(_ windows: [Window], trainedStages: Int) throws(RuntimeError) -> Pass {
    var features: [Double] = []
    for window in windows {
      let own = merged(try run(window, trainedStages: trainedStages), window.frozen)
      features =
        features.isEmpty
        ? own.map { Double($0) } : zip(features, own).map { $0 + Double($1) }
    }
    if windows.count > 1 { features = features.map { $0 / Double(windows.count) } }
    return Pass(
      logits: logits(standardized(features)), features: features, windows: windows,
      trainedStages: trainedStages)
  }

  /// Adds to the gradients; after `forward`, and before another case's.
  package func backward(_ pass: Pass, gradient: [Double]) throws(RuntimeError) {
    guard let weight = parameters[TrainedParameters.headWeight],
      let bias = parameters[TrainedParameters.headBias]
    else { return }
    let features = standardized(pass.features)
    parameters.addGradient(gradient.map { Float($0) }, of: bias)
    parameters.addGradient(
      gradient.flatMap { row in features.map { Float(row * $0) } }, of: weight)
    guard pass.trainedStages > 0 else { return }
    let values = parameters.values(of: weight)
    let count = Double(pass.windows.count)
    let back = features.indices.map { column in
      let sum = gradient.indices.reduce(0) {
        $0 + gradient[$1] * Double(values[$1 * features.count + column])
      }
      return Float(sum / (standardization?.scale[column] ?? 1) / count)
    }
    for window in pass.windows {
      // A session holds what the last window left.
      if pass.windows.count > 1 { _ = try run(window, trainedStages: pass.trainedStages) }
      try session(window.shape, trainedStages: pass.trainedStages).backward(ownPart(back))
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

  /// The pooled features of the stages that are run.
  private func run(_ window: Window, trainedStages: Int) throws(RuntimeError) -> [Float] {
    guard stageCount > 0 else { return [] }
    let session = try session(window.shape, trainedStages: trainedStages)
    session.region = window.region
    return try session.forward(window.boundary)
  }

  private func session(
    _ shape: [Int], trainedStages: Int
  ) throws(RuntimeError) -> TrainingSession {
    let key = Key(shape: shape, trainedStages: trainedStages)
    if let known = sessions[key] { return known }
    let program = try model.trainingProgram(
      parameters, stageCount: stageCount, trainedStages: trainedStages, inputShape: shape,
      pooling: pooling.filter { $0.stage >= firstStage }, threads: threads)
    let held = sessions.values.reduce(0) { $0 + $1.program.byteCount }
    if held + program.byteCount > sessionByteLimit { sessions = [:] }
    let session = try TrainingSession(program)
    sessions[key] = session
    return session
  }
}
