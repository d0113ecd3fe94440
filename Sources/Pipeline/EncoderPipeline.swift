internal import FileIO
public import Preprocessing
public import SWTFormat
public import SWTRuntime

/// From a scan to pooled features and logits: nnU-Net's preprocessing, the model's input policy, the
/// encoder and the classifier.
///
/// ```swift
/// let pipeline = try EncoderPipeline(
///   model: Model(contentsOf: "model.swt"), outputs: SessionOutputs(logits: true))
/// var scan = try pipeline.read(files: ["case_0000.nii.gz"])
/// let output = try pipeline.run(pipeline.prepare(scan.takeChannels()))
/// ```
///
/// A pipeline is for one thread at a time; it keeps its session for the next case of the same size.
public final class EncoderPipeline {
  /// The model.
  public let model: Model
  /// How a prepared image is cut or padded for the network.
  public let policy: InputPolicy
  /// What is computed.
  public let outputs: SessionOutputs
  /// How many threads work.
  public let threads: Int
  /// The numbers that convolutions are computed with.
  public let precision: Precision
  /// The most bytes that a case may take, for `read` and `checkMemory`; `nil` where there is no limit.
  public let memoryLimit: Int?

  /// A model whose preprocessing is not here can still run arrays.
  private let preprocessor: Result<Preprocessor, PreprocessingError>
  private var kept: (program: Program, session: Session)?

  /// Creates a pipeline.
  ///
  /// - Parameters:
  ///   - model: the model.
  ///   - policy: instead of the one that the model was converted with.
  ///   - outputs: what to compute.
  ///   - threads: how many threads to use; by default as many as this process may.
  ///   - precision: the numbers that convolutions are computed with.
  ///   - memoryLimit: the most bytes that a case may take, the process and the model included.
  public init(
    model: Model, policy: InputPolicy? = nil, outputs: SessionOutputs = SessionOutputs(),
    threads: Int? = nil, precision: Precision = .f32, memoryLimit: Int? = nil
  ) {
    self.model = model
    self.policy = policy ?? model.description.inputPolicy
    self.outputs = outputs
    self.threads = threads ?? ProcessorCount.available
    self.precision = precision
    self.memoryLimit = memoryLimit
    let threads = self.threads
    preprocessor = Result { () throws(PreprocessingError) in
      try Preprocessor(description: model.description.preprocessing, threads: threads)
    }
  }

  // MARK: - Preprocessing

  /// Reads a case's files, one per channel in the order of `channel_names`.
  ///
  /// - Throws: `PipelineError.preprocessing`.
  public func read(files: [String]) throws(PipelineError) -> Scan {
    do throws(PreprocessingError) {
      if let memoryLimit {
        let byteCount = try preprocessor.get().byteCount(of: files)
        guard byteCount <= memoryLimit else {
          throw PreprocessingError.channels(
            "reading it takes \(ByteCount.text(byteCount)) of memory where "
              + "\(ByteCount.text(memoryLimit)) may be used — use a machine with more memory")
        }
      }
      return try preprocessor.get().read(files: files)
    } catch { throw .preprocessing(error) }
  }

  /// What running these channels would take.
  ///
  /// - Throws: `PipelineError`, not for memory.
  public func plan(_ channels: [Volume]) throws(PipelineError) -> CasePlan {
    try plan(geometry(of: channels), policy: policy)
  }

  private func geometry(of channels: [Volume]) throws(PipelineError) -> PreparedGeometry {
    do throws(PreprocessingError) { return try preprocessor.get().geometry(of: channels) } catch {
      throw .preprocessing(error)
    }
  }

  /// Refuses a case that would take more memory than `memoryLimit`.
  ///
  /// - Throws: `PipelineError.memory`, which names the input policies that would fit.
  public func checkMemory(_ plan: CasePlan) throws(PipelineError) {
    guard let memoryLimit, plan.peakByteCount > memoryLimit else { return }
    var fitting: [InputPolicy] = []
    for policy in InputPolicy.allCases where policy != self.policy {
      // A policy under which the network cannot run does not fit.
      if let other = try? self.plan(plan.geometry, policy: policy),
        other.peakByteCount <= memoryLimit
      {
        fitting.append(policy)
      }
    }
    throw .memory(
      needed: plan.peakByteCount, limit: memoryLimit, policy: policy, fitting: fitting)
  }

  /// Preprocesses a case; channels that the caller does not keep are freed on the way.
  ///
  /// - Parameter channels: one volume per channel, in the order of `channel_names`.
  /// - Throws: `PipelineError.preprocessing` where they do not fit each other or the model.
  public func prepare(_ channels: consuming [Volume]) throws(PipelineError) -> PreparedImage {
    let geometry = try geometry(of: channels)
    return try prepare(consume channels, geometry: geometry)
  }

  /// Preprocesses a case whose geometry `plan` gave for these very channels.
  package func prepare(
    _ channels: consuming [Volume], geometry: PreparedGeometry
  ) throws(PipelineError) -> PreparedImage {
    // The last case's buffers go where they and this case's voxels do not fit together.
    if let memoryLimit, let kept {
      let together = geometry.peakByteCount + kept.program.byteCount + model.byteCount
      if CasePlan.baseByteCount + together > memoryLimit { self.kept = nil }
    }
    do throws(PreprocessingError) {
      return try preprocessor.get().prepare(channels: consume channels, geometry: geometry)
    } catch { throw .preprocessing(error) }
  }

  private func plan(
    _ geometry: PreparedGeometry, policy: InputPolicy
  ) throws(PipelineError) -> CasePlan {
    let framing = framing(of: geometry.shape, policy: policy)
    do throws(RuntimeError) {
      let session = try model.program(
        inputShape: framing.inputShape, outputs: sessionOutputs(framing), threads: threads,
        precision: precision)
      return CasePlan(
        geometry: geometry, policy: policy, framing: framing, session: session,
        modelByteCount: model.byteCount)
    } catch { throw .runtime(error) }
  }

  // MARK: - Running

  /// Where the network looks in an image of `shape`, `[C, z, y, x]`.
  package func framing(of shape: [Int]) -> InputFraming { framing(of: shape, policy: policy) }

  private func framing(of shape: [Int], policy: InputPolicy) -> InputFraming {
    InputFraming(policy, imageShape: shape, model: model.description)
  }

  /// Runs the encoder over a prepared image as the input policy says, averaging the pooled features
  /// of several windows and slices with equal weights.
  ///
  /// - Parameters:
  ///   - image: from `prepare`.
  ///   - progress: told how many windows are done, of how many.
  /// - Throws: `PipelineError.runtime` where the network cannot take that size, or memory cannot be
  ///   had.
  public func run(
    _ image: PreparedImage, progress: (Int, Int) -> Void = { _, _ in }
  ) throws(PipelineError) -> EncoderOutput {
    let framing = framing(of: image.shape)
    let count = framing.inputShape.reduce(1, *)
    var window = [Float](repeating: 0, count: count)
    let single = framing.windowCount == 1
    var sums: [Double] = []
    do throws(RuntimeError) {
      let session = try session(
        for: framing.inputShape, outputs: sessionOutputs(framing))
      for index in 0..<framing.windowCount {
        window.withUnsafeMutableBufferPointer {
          framing.copyWindow(index, of: image.values, into: $0)
        }
        try session.run(window)
        progress(index + 1, framing.windowCount)
        if single { return output(of: session) }
        let pooled = session.pooled ?? []
        if sums.isEmpty { sums = [Double](repeating: 0, count: pooled.count) }
        for feature in pooled.indices { sums[feature] += Double(pooled[feature]) }
      }
      let pooled = sums.map { Float($0 / Double(framing.windowCount)) }
      return EncoderOutput(
        pooled: pooled, logits: outputs.logits ? try model.logits(fromPooled: pooled) : nil,
        stages: [:])
    } catch { throw .runtime(error) }
  }

  /// Runs the encoder on an array exactly as it is given, `[C, z, y, x]` or `[C, y, x]`.
  package func run(
    array: ArraySlice<Float>, shape: [Int]
  ) throws(PipelineError) -> EncoderOutput {
    do throws(RuntimeError) {
      let session = try session(for: shape, outputs: outputs)
      var failure: RuntimeError?
      array.withUnsafeBufferPointer { values in
        do throws(RuntimeError) { try session.run(values) } catch { failure = error }
      }
      if let failure { throw failure }
      return output(of: session)
    } catch { throw .runtime(error) }
  }

  private func output(of session: Session) -> EncoderOutput {
    var stages: [Int: EncoderOutput.StageFeatures] = [:]
    for stage in outputs.stages {
      stages[stage] = session.features(ofStage: stage).map {
        EncoderOutput.StageFeatures(shape: $0.shape, values: $0.values)
      }
    }
    return EncoderOutput(
      pooled: session.pooled ?? [], logits: session.logits, stages: stages,
      segmentation: session.segmentation.map {
        EncoderOutput.StageFeatures(shape: $0.shape, values: $0.values)
      })
  }

  /// What every window's run gives; logits of several windows come from their mean.
  private func sessionOutputs(_ framing: InputFraming) -> SessionOutputs {
    framing.windowCount == 1 ? outputs : SessionOutputs(pooled: true)
  }

  private func session(
    for shape: [Int], outputs: SessionOutputs
  ) throws(RuntimeError) -> Session {
    if let kept, kept.program.inputShape == shape, kept.program.outputs == outputs {
      return kept.session
    }
    // The old session's memory goes before the new one's comes.
    kept = nil
    let program = try model.program(
      inputShape: shape, outputs: outputs, threads: threads, precision: precision)
    let session = try Session(program)
    kept = (program, session)
    return session
  }
}
