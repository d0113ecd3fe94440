// SPDX-License-Identifier: Apache-2.0
/// A program with its memory: buffers are reserved once, running reuses them.
///
/// A session is for one thread at a time; make one per thread to run several at once. Results are
/// those of the last run; before the first they are zeros.
public final class Session {
  /// One step of a run, with the time its last run took.
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
  /// The part of the input that features of `SessionOutputs.pooling` may be pooled of; the next runs'.
  package var region: PoolingRegion?
  /// What was wrong with memory in the last run; for sessions that check it.
  package var memoryFaults: [String] { check?.faults ?? [] }

  private let program: Program
  private let memory: Memory
  /// Of the results' buffers the means over folds, where there are several.
  private var means: [Buffer: [Float]] = [:]
  /// Whether results are `means`, and not one fold's.
  private var givesMeans = false
  private var check: MemoryCheck?
  private var seconds: [Double]

  /// Takes the memory that `program` needs and makes its weights ready.
  ///
  /// - Throws: `RuntimeError` where it is not available.
  package convenience init(_ program: Program) throws(RuntimeError) {
    try self.init(program, checksMemory: false)
  }

  /// - Parameter checksMemory: whether runs fill what holds nothing with NaN, and look for what was
  ///   written beyond a buffer's end: for tests.
  package init(_ program: Program, checksMemory: Bool) throws(RuntimeError) {
    self.program = program
    inputShape = program.inputShape
    threads = program.threads
    let layout =
      checksMemory
      ? BufferLayout(program.buffers, lifetimes: program.lifetimes, isGuarded: true)
      : program.layout
    memory = try Memory(layout)
    for fold in program.folds {
      for instruction in fold.instructions { instruction.prepare() }
      fold.planewise?.convolution.prepare()
    }
    seconds = [Double](repeating: 0, count: program.steps.count)
    setConstants(of: program)
    if checksMemory { check = MemoryCheck(program, layout: layout, memory: memory) }
  }

  private func setConstants(of fold: Program) {
    for constant in fold.buffers.constants {
      memory[constant.buffer].update(from: constant.values, count: constant.values.count)
    }
  }

  /// What is done, layer by layer and fold by fold.
  package var steps: [StepReport] {
    zip(program.steps, seconds).map { step, seconds in
      var step = step
      step.seconds = seconds
      return step
    }
  }

  /// Runs the network on `input`, row-major `[channels, z, y, x]` or `[channels, y, x]`; the
  /// results are then in `pooled`, `logits` and `features(ofStage:)`.
  ///
  /// Does not keep `input`.
  ///
  /// - Throws: `RuntimeError` where the input has another size.
  public func run(_ input: UnsafeBufferPointer<Float>) throws(RuntimeError) {
    try run(input, afterEachFold: {})
  }

  /// The same, asking before every layer whether to go on, and with a call after each fold, when the
  /// results are that fold's.
  ///
  /// - Throws: `RuntimeError`, also where it is not to go on.
  package func run(
    _ input: UnsafeBufferPointer<Float>, goesOn: () -> Bool = { true },
    afterEachFold body: () -> Void
  ) throws(RuntimeError) {
    let expected = inputShape.reduce(1, *)
    guard input.count == expected, let start = input.baseAddress else {
      throw RuntimeError(.elementCount(found: input.count, expected: expected))
    }
    let context = context(input: start)
    givesMeans = false
    var step = 0
    for (fold, program) in program.folds.enumerated() {
      if !self.program.otherFolds.isEmpty { setConstants(of: program) }
      check?.start()
      for (index, instruction) in program.instructions.enumerated() {
        guard goesOn() else { throw RuntimeError(.cancelled) }
        if measuresSteps {
          seconds[step] =
            ContinuousClock().measure { instruction.run(context) } / .seconds(1)
        } else {
          instruction.run(context)
        }
        step += 1
        check?.end(index)
      }
      body()
      takeMeans(fold)
    }
    givesMeans = !program.otherFolds.isEmpty
    try checkResults()
  }

  private func context(input: UnsafePointer<Float>) -> RunContext {
    RunContext(
      input: input, memory: memory, team: ThreadTeam(count: threads),
      workspace: program.workspace, workspaceStep: program.workspaceStep, region: region)
  }

  /// Adds a fold's results to those before, and makes them means after the last.
  private func takeMeans(_ fold: Int) {
    let others = program.otherFolds.count
    guard others > 0 else { return }
    for buffer in Set(program.results.map(\.buffer)) {
      let values = UnsafeBufferPointer(start: memory[buffer], count: buffer.count)
      guard fold > 0, var sums = means.removeValue(forKey: buffer) else {
        means[buffer] = Array(values)
        continue
      }
      let factor = fold == others ? 1 / Float(others + 1) : 1
      for index in sums.indices { sums[index] = (sums[index] + values[index]) * factor }
      means[buffer] = sums
    }
  }

  /// A number that is none is no result, wherever it comes from.
  private func checkResults() throws(RuntimeError) {
    let results =
      [
        ("pooled features", program.pooling), ("pooled features", program.pooled),
        ("logits", program.logits),
        ("logits of the segmentation", program.segmentation),
      ]
      + program.stages.map { ("features of stage \($0)", $1) }
    for (name, output) in results {
      guard let output else { continue }
      guard lent(output, Finite.holds) else { throw RuntimeError(.notFinite(name)) }
    }
  }

  /// Runs the network on `input`, row-major `[channels, z, y, x]` or `[channels, y, x]`.
  ///
  /// - Throws: `RuntimeError` where the input has another size.
  public func run(_ input: [Float]) throws(RuntimeError) {
    var failure: RuntimeError?
    input.withUnsafeBufferPointer { buffer in
      do throws(RuntimeError) { try run(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  // MARK: - Results

  /// The pooled features of the last stage, `[features]`; `nil` where they were not asked for.
  public var pooled: [Float]? { program.pooled.map(values) }

  /// What `SessionOutputs.pooling` asks for, one after the other; `nil` where it asks for nothing.
  package var pooledFeatures: [Float]? { program.pooling.map(values) }

  /// The classifier's logits, `[classes]`; `nil` where they were not asked for.
  public var logits: [Float]? { program.logits.map(values) }

  /// The features of a stage, row-major, with their shape, `[features, z, y, x]` or
  /// `[features, y, x]`; `nil` where they were not asked for. Stage 0 has the highest resolution.
  public func features(ofStage stage: Int) -> (shape: [Int], values: [Float])? {
    program.stages[stage].map { ($0.shape, values($0)) }
  }

  /// Lends the features of a stage without a copy, row-major, with their shape; `nil` where they were
  /// not asked for. They are valid during the call only.
  public func withFeatures<Result>(
    ofStage stage: Int,
    _ body: (_ shape: [Int], _ values: UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result? {
    try program.stages[stage].map { output in
      try lent(output) { try body(output.shape, $0) }
    }
  }

  /// The logits of the segmentation, row-major, with their shape, `[heads, z, y, x]` or `[heads, y, x]`;
  /// `nil` where they were not asked for.
  public var segmentation: (shape: [Int], values: [Float])? {
    program.segmentation.map { ($0.shape, values($0)) }
  }

  /// Computes the logits of the segmentation for the last run's input, some planes at a time, and lends
  /// them; for sessions of one fold that were asked for them so.
  package func forEachSegmentationSlab(_ body: (SegmentationSlab) -> Void) {
    guard let planewise = program.planewise else { return }
    // What it reads is in memory: the network's input is not among it.
    planewise.run(
      context(input: UnsafePointer(memory[planewise.slab])), kernels: planewise.convolution.kernels,
      body)
  }

  /// The logits of the segmentation without a copy; valid inside `body` only.
  package func withSegmentation<Result>(
    _ body: (_ shape: [Int], UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result? {
    try program.segmentation.map { output in
      try lent(output) { try body(output.shape, $0) }
    }
  }

  /// The shape of a stage's features; `nil` where they were not asked for.
  package func shape(ofStage stage: Int) -> [Int]? { program.stages[stage]?.shape }

  private func values(_ output: Program.Output) -> [Float] { lent(output) { Array($0) } }

  private func lent<Result>(
    _ output: Program.Output, _ body: (UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result {
    let count = output.shape.reduce(1, *)
    if givesMeans, let mean = means[output.buffer] {
      return try mean.withUnsafeBufferPointer {
        try body(UnsafeBufferPointer(rebasing: $0[..<count]))
      }
    }
    return try body(UnsafeBufferPointer(start: memory[output.buffer], count: count))
  }
}
