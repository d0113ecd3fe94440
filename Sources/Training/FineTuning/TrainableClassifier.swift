package import SWTFormat
package import SWTRuntime

/// Some last stages of an encoder with a linear head on pooled features, as training sees them: case by case
/// forward and backward, gradients added up until an optimiser takes its step.
package final class TrainableClassifier {
  package let parameters: TrainedParameters
  package let stageCount: Int
  private let model: Model
  private let threads: Int
  private let classCount: Int
  /// What is pooled, in the head's order; that of frozen stages comes from outside.
  private let pooling: [Classifier.Pooling]
  private let widths: [Int]
  /// Sessions of the last inputs' shapes.
  private var sessions: [Key: TrainingSession] = [:]
  private let sessionByteLimit: Int

  private struct Key: Hashable {
    let shape: [Int]
    let trainedStages: Int
  }

  /// - Parameters:
  ///   - stageCount: how many stages are run, the last ones.
  ///   - pooling: what the head reads.
  ///   - head: `weight`, `[classes, features]`, and `bias`.
  ///   - sessionByteLimit: what sessions of several shapes may take together.
  package init(
    _ model: Model, stageCount: Int, pooling: [Classifier.Pooling],
    head: (weight: [Float], bias: [Float]), threads: Int, sessionByteLimit: Int = 1 << 30
  ) throws(RuntimeError) {
    self.model = model
    self.stageCount = stageCount
    self.pooling = pooling
    self.threads = threads
    self.sessionByteLimit = sessionByteLimit
    classCount = head.bias.count
    widths = model.description.architecture.featuresPerStage
    parameters = try TrainedParameters(model, stageCount: stageCount, head: head)
  }

  private var firstStage: Int { widths.count - stageCount }

  /// What the stages that are run give of the head's features.
  private var ownPooling: [Classifier.Pooling] { pooling.filter { $0.stage >= firstStage } }

  /// A case's way to its logits, and what the way back needs.
  package struct Pass {
    package let logits: [Double]
    fileprivate let features: [Float]
    fileprivate let session: TrainingSession?
  }

  /// Runs a case.
  ///
  /// - Parameters:
  ///   - boundary: what the first stage reads, row-major; nothing where no stage is run.
  ///   - frozen: the pooled features of the stages before, in the head's order.
  ///   - trainedStages: how many stages are to get gradients afterwards.
  package func forward(
    _ boundary: ArraySlice<Float>, shape: [Int], frozen: [Float], trainedStages: Int
  ) throws(RuntimeError) -> Pass {
    var own: [Float] = []
    var session: TrainingSession?
    if stageCount > 0 {
      let running = try self.session(shape, trainedStages: trainedStages)
      var failure: RuntimeError?
      boundary.withUnsafeBufferPointer { values in
        do throws(RuntimeError) { own = try running.forward(values) } catch { failure = error }
      }
      if let failure { throw failure }
      session = running
    }
    let features = merged(own, frozen)
    return Pass(logits: logits(features), features: features, session: session)
  }

  /// Adds to the gradients.
  package func backward(_ pass: Pass, gradient: [Double]) {
    guard let weight = parameters[TrainedParameters.headWeight],
      let bias = parameters[TrainedParameters.headBias]
    else { return }
    let width = pass.features.count
    parameters.addGradient(gradient.map { Float($0) }, of: bias)
    parameters.addGradient(
      gradient.flatMap { row in pass.features.map { Float(row * Double($0)) } }, of: weight)
    guard let session = pass.session else { return }
    let values = parameters.values(of: weight)
    let features = (0..<width).map { column in
      Float(
        gradient.enumerated().reduce(0) {
          $0 + $1.element * Double(values[$1.offset * width + column])
        }
      )
    }
    session.backward(ownPart(features))
  }

  private func logits(_ features: [Float]) -> [Double] {
    guard let weight = parameters[TrainedParameters.headWeight].map(parameters.values(of:)),
      let bias = parameters[TrainedParameters.headBias].map(parameters.values(of:))
    else { return [] }
    return bias.enumerated().map { row, bias in
      let first = row * features.count
      return features.indices.reduce(Double(bias)) {
        $0 + Double(weight[first + $1]) * Double(features[$1])
      }
    }
  }

  // MARK: - Features

  /// Features of stages that are run and of those that are not, in the head's order.
  private func merged(_ own: [Float], _ frozen: [Float]) -> [Float] {
    var (ownStart, frozenStart) = (0, 0)
    return pooling.flatMap { entry in
      let width = widths[entry.stage]
      if entry.stage >= firstStage {
        defer { ownStart += width }
        return own[ownStart..<ownStart + width]
      }
      defer { frozenStart += width }
      return frozen[frozenStart..<frozenStart + width]
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

  private func session(
    _ shape: [Int], trainedStages: Int
  ) throws(RuntimeError) -> TrainingSession {
    let key = Key(shape: shape, trainedStages: trainedStages)
    if let known = sessions[key] { return known }
    let program = try model.trainingProgram(
      parameters, stageCount: stageCount, trainedStages: trainedStages, inputShape: shape,
      pooling: ownPooling, threads: threads)
    let held = sessions.values.reduce(0) { $0 + $1.program.byteCount }
    if held + program.byteCount > sessionByteLimit { sessions = [:] }
    let session = try TrainingSession(program)
    sessions[key] = session
    return session
  }
}
