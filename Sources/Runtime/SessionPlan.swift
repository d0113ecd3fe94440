/// How a model would run on inputs of one shape, worked out without taking the memory for it.
///
/// ```swift
/// let plan = try model.plan(inputShape: [1, 128, 128, 128])
/// guard plan.byteCount < 2_000_000_000 else { return }
/// let session = try Session(plan)
/// ```
public struct SessionPlan: Sendable {
  /// The shape of the input, `[channels, z, y, x]` or `[channels, y, x]`.
  public let inputShape: [Int]
  /// What would be computed.
  public let outputs: SessionOutputs
  /// How many threads would work.
  public let threads: Int

  let encoder: EncoderPlan

  init(_ encoder: EncoderPlan, inputShape: [Int], outputs: SessionOutputs, threads: Int) {
    self.encoder = encoder
    self.inputShape = inputShape
    self.outputs = outputs
    self.threads = threads
  }

  /// Multiplications and additions of the plain algorithm.
  package var flops: Double { encoder.steps.reduce(0) { $0 + $1.flops } }

  /// Bytes for activations, scratch memory and results.
  package var activationByteCount: Int { encoder.arena.byteCount }

  /// Bytes for weights in a form of their own, beside the mapped file.
  package var weightByteCount: Int { encoder.steps.reduce(0) { $0 + $1.weightByteCount } }

  /// Bytes that a session takes beside the mapped file.
  public var byteCount: Int { activationByteCount + weightByteCount }

  /// The steps, none of them run.
  package var steps: [Session.StepReport] {
    encoder.steps.map {
      Session.StepReport(name: $0.name, algorithm: $0.algorithm, flops: $0.flops, seconds: 0)
    }
  }
}
