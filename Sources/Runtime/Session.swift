/// A planned run over inputs of one shape: buffers are reserved once, running reuses them.
///
/// A session is for one thread at a time; make one per thread to run several at once. Results are
/// those of the last run; before the first they are zeros.
public final class Session {
  /// One step of the plan, with the time its last run took.
  package struct StepReport: Sendable {
    /// Which layer it is.
    package var name: String
    /// How it is computed.
    package var algorithm: String
    /// Multiplications and additions of the plain algorithm.
    package var flops: Double
    /// How long its last run took, in seconds; 0 where times were not asked for.
    package var seconds: Double
  }

  /// The shape of the input, `[channels, z, y, x]` or `[channels, y, x]`.
  public let inputShape: [Int]
  /// How many threads work.
  public let threads: Int
  /// Whether to note how long every step takes.
  package var measuresSteps = false

  private let plan: EncoderPlan
  private let arena: Arena
  private var seconds: [Double]

  /// Takes the memory that `plan` needs and makes its weights ready.
  ///
  /// - Throws: `RuntimeError.memory` where it cannot be had.
  public init(_ plan: SessionPlan) throws(RuntimeError) {
    self.plan = plan.encoder
    inputShape = plan.inputShape
    threads = plan.threads
    arena = try Arena(plan.encoder.arena)
    for constant in plan.encoder.constants {
      arena[constant.range].update(from: constant.values, count: constant.values.count)
    }
    for step in plan.encoder.steps { step.prepare() }
    seconds = [Double](repeating: 0, count: plan.encoder.steps.count)
  }

  /// The plan, step by step.
  package var steps: [StepReport] {
    zip(plan.steps, seconds).map {
      StepReport(name: $0.name, algorithm: $0.algorithm, flops: $0.flops, seconds: $1)
    }
  }

  /// Runs the network on `input`, row-major `[channels, z, y, x]` or `[channels, y, x]`; the
  /// results are then in `pooled`, `logits` and `features(ofStage:)`.
  ///
  /// Does not keep `input`.
  ///
  /// - Throws: `RuntimeError.elementCount` where the input has another size, `notFinite` where a result
  ///   is infinite or not a number; the results are then of no use.
  public func run(_ input: UnsafeBufferPointer<Float>) throws(RuntimeError) {
    let expected = inputShape.reduce(1, *)
    guard input.count == expected, let start = input.baseAddress else {
      throw .elementCount(found: input.count, expected: expected)
    }
    let context = RunContext(
      input: start, arena: arena, team: ThreadTeam(count: threads), workspace: plan.workspace,
      workspaceStep: plan.workspaceStep)
    for (index, step) in plan.steps.enumerated() {
      guard measuresSteps else {
        step.run(context)
        continue
      }
      let elapsed = ContinuousClock().measure { step.run(context) }
      seconds[index] = elapsed / .seconds(1)
    }
    try checkResults()
  }

  /// A number that is none is no result, wherever it comes from.
  private func checkResults() throws(RuntimeError) {
    if let pooled = plan.pooled { try check(pooled.range, pooled.count, "pooled features") }
    if let logits = plan.logits { try check(logits.range, logits.count, "logits") }
    for (stage, skip) in plan.skips {
      try check(skip.range, skip.shape.reduce(1, *), "features of stage \(stage)")
    }
  }

  private func check(
    _ range: ArenaRange, _ count: Int, _ name: String
  ) throws(RuntimeError) {
    let values = UnsafeBufferPointer(start: arena[range], count: count)
    guard Finite.holds(values) else { throw .notFinite(name) }
  }

  /// Runs the network on `input`, row-major `[channels, z, y, x]` or `[channels, y, x]`.
  ///
  /// - Throws: `RuntimeError.elementCount` where the input has another size, `notFinite` where a result
  ///   is infinite or not a number; the results are then of no use.
  public func run(_ input: [Float]) throws(RuntimeError) {
    var failure: RuntimeError?
    input.withUnsafeBufferPointer { buffer in
      do throws(RuntimeError) { try run(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// The pooled features of the last stage, `[features]`; `nil` where they were not asked for.
  public var pooled: [Float]? { plan.pooled.map { values($0.range, $0.count) } }

  /// The classifier's logits, `[classes]`; `nil` where they were not asked for.
  public var logits: [Float]? { plan.logits.map { values($0.range, $0.count) } }

  /// The features of a stage, row-major, with their shape, `[features, z, y, x]` or
  /// `[features, y, x]`; `nil` where they were not asked for. Stage 0 has the highest resolution.
  public func features(ofStage stage: Int) -> (shape: [Int], values: [Float])? {
    plan.skips[stage].map { ($0.shape, values($0.range, $0.shape.reduce(1, *))) }
  }

  /// Lends the features of a stage without a copy, row-major, with their shape; `nil` where they were
  /// not asked for. They are valid during the call only.
  public func withFeatures<Result>(
    ofStage stage: Int,
    _ body: (_ shape: [Int], _ values: UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result? {
    try plan.skips[stage].map { skip in
      try body(
        skip.shape,
        UnsafeBufferPointer(start: arena[skip.range], count: skip.shape.reduce(1, *)))
    }
  }

  /// The shape of a stage's features; `nil` where they were not asked for.
  package func shape(ofStage stage: Int) -> [Int]? { plan.skips[stage]?.shape }

  private func values(_ range: ArenaRange, _ count: Int) -> [Float] {
    Array(UnsafeBufferPointer(start: arena[range], count: count))
  }
}
