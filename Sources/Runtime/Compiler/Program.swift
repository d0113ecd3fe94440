// SPDX-License-Identifier: Apache-2.0
/// A model compiled for inputs of one shape: what has to be done, and the memory for it, which is not taken
/// yet.
///
/// ```swift
/// let program = try model.program(inputShape: [1, 128, 128, 128])
/// guard program.byteCount < 2_000_000_000 else { return }
/// let session = try Session(program)
/// ```
package struct Program: Sendable {
  /// The shape of the input, `[channels, z, y, x]` or `[channels, y, x]`.
  package let inputShape: [Int]
  /// What is computed.
  package let outputs: SessionOutputs
  /// How many threads work.
  package let threads: Int

  /// A result with its place in memory.
  struct Output: Sendable {
    let buffer: Buffer
    let shape: [Int]
  }

  let instructions: [any Instruction]
  let buffers: Buffers
  /// Of every buffer the instructions that it is needed for; `nil` for those that keep their place.
  let lifetimes: [ClosedRange<Int>?]
  let layout: BufferLayout
  let stages: [Int: Output]
  /// All that is pooled of stages.
  let pooling: Output?
  let pooled: Output?
  let logits: Output?
  let segmentation: Output?
  /// The segmentation's last convolution, where it is asked for some planes at a time.
  let planewise: PlanewiseConvolution?
  /// Memory of the threads, each for itself.
  let workspace: Buffer
  /// Floats from a thread's to the next one's.
  let workspaceStep: Int
  /// What the other folds run, where results are means over several: the same with other weights.
  var otherFolds: [Program] = []

  init(
    inputShape: [Int], outputs: SessionOutputs, threads: Int, instructions: [any Instruction],
    buffers: Buffers, stages: [Int: Output], pooling: Output?, pooled: Output?,
    logits: Output?, segmentation: Output?, planewise: PlanewiseConvolution? = nil
  ) {
    self.inputShape = inputShape
    self.outputs = outputs
    self.threads = threads
    self.instructions = instructions
    self.stages = stages
    self.pooling = pooling
    self.pooled = pooled
    self.logits = logits
    self.segmentation = segmentation
    self.planewise = planewise
    let workspaces =
      instructions.map(\.workspaceCount) + [planewise?.convolution.workspaceCount ?? 0]
    workspaceStep = ((workspaces.max() ?? 0) + 63) / 64 * 64
    var buffers = buffers
    workspace = buffers.reserve(workspaceStep * threads)
    self.buffers = buffers
    let results =
      Array(stages.values) + [pooling, pooled, logits, segmentation].compactMap { $0 }
    lifetimes = Lifetimes.of(
      buffers, in: instructions, kept: results.map(\.buffer) + (planewise?.inputs ?? []))
    layout = BufferLayout(buffers, lifetimes: lifetimes)
  }

  /// What every fold runs.
  var folds: [Program] { [self] + otherFolds }

  private var allInstructions: [any Instruction] {
    folds.flatMap { fold in fold.instructions + [fold.planewise?.convolution].compactMap { $0 } }
  }

  /// The shape of a stage's features; `nil` where they were not asked for.
  package func shape(ofStage stage: Int) -> [Int]? { stages[stage]?.shape }

  /// Multiplications and additions of the plain algorithm.
  package var flops: Double { allInstructions.reduce(0) { $0 + $1.flops } }

  /// Bytes for activations, scratch memory and results.
  package var activationByteCount: Int { layout.byteCount }

  /// Bytes for weights in a form of their own, beside the mapped file; the sessions of a model share
  /// them.
  package var weightByteCount: Int { allInstructions.reduce(0) { $0 + $1.weightByteCount } }

  /// Bytes for the means over folds of what is computed.
  private var meanByteCount: Int {
    guard !otherFolds.isEmpty else { return 0 }
    return results.reduce(0) { $0 + $1.buffer.count * MemoryLayout<Float>.stride }
  }

  /// Bytes that a session takes beside the mapped file.
  package var byteCount: Int { activationByteCount + weightByteCount + meanByteCount }

  /// What is computed, wherever it lies.
  var results: [Output] {
    Array(stages.values) + [pooling, pooled, logits, segmentation].compactMap { $0 }
  }

  /// What is done, layer by layer and fold by fold, none of it run.
  package var steps: [Session.StepReport] {
    folds.flatMap(\.instructions).map {
      Session.StepReport(name: $0.name, algorithm: $0.algorithm, flops: $0.flops, seconds: 0)
    }
  }
}
