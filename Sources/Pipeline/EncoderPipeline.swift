// SPDX-License-Identifier: Apache-2.0
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
/// let output = try pipeline.run(pipeline.read(files: ["case_0000.nii.gz"]))
/// ```
///
/// A pipeline is for one thread at a time; it keeps its session for the next case of the same size.
public final class EncoderPipeline {
  /// The model.
  public let model: Model
  /// How a prepared image is cut or padded for the network.
  public let policy: InputPolicy
  /// What is computed.
  package let outputs: SessionOutputs
  /// How many threads work.
  package let threads: Int
  /// The numbers that convolutions are computed with.
  package let precision: Precision

  /// What pooled features are: by default those that the classifier reads, where its logits are asked
  /// for; `nil` for the mean of the last stage.
  package let pooling: [Classifier.Pooling]?
  /// Whether class activation maps are made of every case.
  package let makesMaps: Bool
  /// Tells scans that are unlike those of training; `nil` where the model cannot.
  private let foreignScore: ForeignScore?

  /// Reads cases for this pipeline; it may do so on another thread while the pipeline runs.
  package let reader: CaseReader
  /// How the scans that were read lie.
  package private(set) var orientations: OrientationTally
  private var kept: (program: Program, session: Session)?

  /// Creates a pipeline.
  ///
  /// - Parameters:
  ///   - model: the model.
  ///   - policy: instead of the one that the model was converted with.
  ///   - outputs: what to compute.
  ///   - threads: how many threads to use; by default as many as this process may.
  ///   - precision: the numbers that convolutions are computed with.
  ///   - memoryLimit: the most bytes that a case may take, the process and the model included; by
  ///     default what the machine has free now.
  public convenience init(
    model: Model, policy: InputPolicy? = nil, outputs: SessionOutputs = SessionOutputs(),
    threads: Int? = nil, precision: Precision = .f32, memoryLimit: Int? = nil
  ) {
    self.init(
      model: model, policy: policy, outputs: outputs,
      pooling: outputs.logits ? model.description.classifier?.pooling : nil, threads: threads,
      precision: precision, memoryLimit: memoryLimit)
  }

  /// - Parameters:
  ///   - pooling: what pooled features are; `nil` for the mean of the last stage.
  ///   - orientation: what to turn scans to, where the model's reader does not do so itself.
  ///   - makesMaps: whether to make class activation maps, of models with a classifier.
  package init(
    model: Model, policy: InputPolicy?, outputs: SessionOutputs, pooling: [Classifier.Pooling]?,
    threads: Int? = nil, precision: Precision = .f32, memoryLimit: Int? = nil,
    turningTo orientation: ScanOrientation? = nil, makesMaps: Bool = false
  ) {
    self.model = model
    self.policy = policy ?? model.description.inputPolicy
    self.outputs = outputs
    self.pooling = pooling
    self.makesMaps = makesMaps && outputs.logits
    foreignScore = outputs.logits ? ForeignScore(model) : nil
    self.threads = threads ?? ProcessorCount.available
    self.precision = precision
    reader = CaseReader(
      model: model, policy: self.policy, memory: MemoryBudget(limit: memoryLimit),
      threads: self.threads, turningTo: orientation,
      tellsNonzero: pooling?.contains { $0.statistic.isOfNonzero } == true)
    orientations = OrientationTally(trained: model.description.preprocessing.trainedOrientation)
  }

  /// The most bytes that a case may take; `nil` where there is no limit.
  package var memoryLimit: Int? { reader.memory.limit }

  // MARK: - From file to result

  /// Reads a case's files, one per channel in the order of `channel_names`.
  ///
  /// - Throws: `PipelineError`, also where the voxels alone take too much.
  public func read(files: [String]) throws(PipelineError) -> Case {
    try noted(reader.read(files: files))
  }

  /// Reads the case of an entry of a list: files, or series of a study.
  package func read(_ entry: CaseList.Entry) throws(PipelineError) -> Case {
    try noted(reader.read(entry))
  }

  /// Notes how a case lies.
  func noted(_ scan: consuming Case) -> Case {
    if let place = scan.place { orientations.add(place) }
    return scan
  }

  /// A case of channels in memory, in the order of `channel_names`.
  ///
  /// - Throws: `PipelineError` where they do not fit each other or the model.
  public func makeCase(of channels: consuming [Volume]) throws(PipelineError) -> Case {
    try reader.makeCase(of: channels)
  }

  /// Runs the encoder over a case as the input policy says, averaging the pooled features of several
  /// windows and slices with equal weights.
  ///
  /// - Parameters:
  ///   - scan: from `read` or `makeCase`; its voxels are freed on the way.
  ///   - progress: told before every layer how many windows are done, of how many; what it throws ends
  ///     the run.
  /// - Throws: `PipelineError` before any work where the case takes more memory than it may, with
  ///   the policies that would fit; where the network cannot take its size; and where a result is not
  ///   a number.
  public func run(
    _ scan: consuming Case,
    progress: (_ done: Int, _ count: Int) throws(PipelineError) -> Void = { _, _ in }
  ) throws(PipelineError) -> EncoderOutput {
    let framing = scan.framing
    let estimate = try estimate(scan)
    try check(estimate)
    let image = try prepare(scan)
    return try run(image, framing: framing, program: estimate.program, progress: progress)
  }

  /// Runs the encoder over a case that was prepared ahead.
  package func run(
    _ ready: PreparedCase,
    progress: (_ done: Int, _ count: Int) throws(PipelineError) -> Void
  ) throws(PipelineError) -> EncoderOutput {
    if let place = ready.place { orientations.add(place) }
    let estimate = try estimate(ready)
    try check(estimate)
    return try run(
      ready.image, framing: estimate.framing, program: estimate.program, progress: progress)
  }

  /// Lends the features of a stage that the last run was asked for, row-major, with their shape,
  /// `[features, z, y, x]` or `[features, y, x]`; `nil` where there are none: stages of several
  /// windows overlap.
  public func withFeatures<Result>(
    ofStage stage: Int,
    _ body: (_ shape: [Int], _ values: UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result? {
    try kept?.session.withFeatures(ofStage: stage, body)
  }

  /// Lends the logits of the segmentation of the last run, where they were asked for: `[heads, z, y, x]` or
  /// `[heads, y, x]`; `nil` where there are none.
  package func withSegmentation<Result>(
    _ body: (_ shape: [Int], _ values: UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result? {
    try kept?.session.withSegmentation(body)
  }

  // MARK: - Step by step

  /// Preprocesses a case; the last case's buffers go where both do not fit together.
  ///
  /// - Parameter held: bytes that the caller holds meanwhile.
  package func prepare(
    _ scan: consuming Case, held: Int = 0
  ) throws(PipelineError) -> PreparedImage {
    let needed = CaseEstimate.baseByteCount + scan.geometry.peakByteCount + held
    if !reader.memory.allows(needed + heldByteCount) { kept = nil }
    return try reader.prepare(scan, held: held + heldByteCount)
  }

  /// Where the network looks in an image of `shape`, `[C, z, y, x]`.
  package func framing(of shape: [Int]) -> InputFraming {
    InputFraming(policy, imageShape: shape, model: model.description)
  }

  /// Runs the encoder over a prepared image, as `run` does over a case.
  package func run(
    _ image: PreparedImage, progress: (Int, Int) throws(PipelineError) -> Void = { _, _ in }
  ) throws(PipelineError) -> EncoderOutput {
    let framing = framing(of: image.shape)
    let estimate = try estimate(image.geometry, policy: policy, framing: framing)
    try check(estimate)
    return try run(image, framing: framing, program: estimate.program, progress: progress)
  }

  private func run(
    _ image: PreparedImage, framing: InputFraming, program: Program,
    progress: (Int, Int) throws(PipelineError) -> Void
  ) throws(PipelineError) -> EncoderOutput {
    var window = [Float](repeating: 0, count: framing.inputShape.reduce(1, *))
    var sums: [Double] = []
    var maps = makesMaps ? MapSums(model, framing: framing) : nil
    let session = try session(for: program)
    for index in 0..<framing.windowCount {
      window.withUnsafeMutableBufferPointer {
        framing.copyWindow(index, of: image.values, into: $0)
      }
      let region = try region(of: image, framing: framing, window: index)
      let pooled = try self.pooled(
        of: window[...], session, region: region,
        progress: { () throws(PipelineError) in try progress(index, framing.windowCount) },
        afterEachFold: { maps?.add(window: index, of: session, region: region) })
      try progress(index + 1, framing.windowCount)
      if framing.windowCount == 1 { return try output(pooled: pooled, maps, image) }
      if sums.isEmpty { sums = [Double](repeating: 0, count: pooled.count) }
      for feature in pooled.indices { sums[feature] += Double(pooled[feature]) }
    }
    return try output(
      pooled: sums.map { Float($0 / Double(framing.windowCount)) }, maps, image)
  }

  /// The results for a prepared image's pooled features.
  private func output(
    pooled: [Float], _ sums: MapSums?, _ image: PreparedImage
  ) throws(PipelineError) -> EncoderOutput {
    guard let sums else { return try output(pooled: pooled, maps: nil) }
    let maps: ActivationMaps
    do throws(PreprocessingError) {
      maps = try ActivationMaps(
        parts: sums.parts(ofPooled: pooled), values: sums.values, geometry: image.geometry,
        model.description.preprocessing)
    } catch { throw PipelineError(.preprocessing(error)) }
    return try output(pooled: pooled, maps: maps)
  }

  /// Runs the encoder on an array exactly as it is given, `[C, z, y, x]` or `[C, y, x]`.
  ///
  /// - Parameter held: bytes that the caller holds, the array among them.
  package func run(
    array: ArraySlice<Float>, shape: [Int], held: Int
  ) throws(PipelineError) -> EncoderOutput {
    let program: Program
    do throws(RuntimeError) {
      program = try self.program(for: shape, outputs: runOutputs(stages: outputs.stages))
    } catch { throw PipelineError(.runtime(error)) }
    try reader.memory.check(
      .running, needed: CaseEstimate.baseByteCount + held + program.byteCount + model.byteCount,
      new: 0)
    var region: PoolingRegion?
    if reader.tellsNonzero {
      // Nothing is known of an array but its own zeros.
      let count = array.count / max(shape[0], 1)
      let inside: [Float] = (0..<count).map { voxel in
        let voxels = stride(from: array.startIndex + voxel, to: array.endIndex, by: max(count, 1))
        return voxels.contains { array[$0] != 0 } ? 1 : 0
      }
      region = try self.region(of: inside, inputShape: shape)
    }
    return try output(pooled: pooled(of: array, session(for: program), region: region), maps: nil)
  }

  /// The part of a window that features may be pooled of; `nil` where all of it is.
  private func region(
    of image: PreparedImage, framing: InputFraming, window index: Int
  ) throws(PipelineError) -> PoolingRegion? {
    guard let nonzero = image.nonzero else { return nil }
    let inside = framing.window(index, ofChannel: nonzero)
    return try region(of: inside, inputShape: framing.inputShape)
  }

  private func region(
    of inside: [Float], inputShape: [Int]
  ) throws(PipelineError) -> PoolingRegion {
    do throws(RuntimeError) {
      return try model.region(of: inside, inputShape: inputShape, pooling: pooling ?? [])
    } catch { throw PipelineError(.runtime(error)) }
  }

  /// What is kept from the last case.
  var heldByteCount: Int { kept.map { $0.program.byteCount + model.byteCount } ?? 0 }

  private func output(
    pooled: [Float], maps: ActivationMaps?
  ) throws(PipelineError) -> EncoderOutput {
    do throws(RuntimeError) {
      return EncoderOutput(
        pooled: pooled, logits: outputs.logits ? try model.logits(fromPooled: pooled) : nil,
        foreignDistance: foreignScore?.square(pooled), maps: maps)
    } catch { throw PipelineError(.runtime(error)) }
  }

  /// Runs the network and gives its pooled features; the mean of the folds', each pooled by itself.
  ///
  /// - Parameters:
  ///   - region: the part of the input that features may be pooled of.
  ///   - progress: told before every layer; what it throws ends the run.
  ///   - body: called after each fold, when the session's results are that fold's.
  private func pooled(
    of input: ArraySlice<Float>, _ session: Session, region: PoolingRegion?,
    progress: () throws(PipelineError) -> Void = {}, afterEachFold body: () -> Void = {}
  ) throws(PipelineError) -> [Float] {
    var sum: [Float] = []
    var failure: PipelineError?
    session.region = region
    input.withUnsafeBufferPointer { values in
      do throws(RuntimeError) {
        try session.run(
          values,
          goesOn: {
            do throws(PipelineError) { try progress() } catch { failure = error }
            return failure == nil
          },
          afterEachFold: {
            body()
            let pooled = session.pooledFeatures ?? session.pooled ?? []
            sum = sum.isEmpty ? pooled : zip(sum, pooled).map { $0 + $1 }
          })
      } catch { failure = failure ?? PipelineError(.runtime(error)) }
    }
    if let failure { throw failure }
    return model.foldCount == 1 ? sum : sum.map { $0 / Float(model.foldCount) }
  }

  /// What every window's run gives; logits come from pooled features, those of several windows from
  /// their mean.
  func sessionOutputs(_ framing: InputFraming) -> SessionOutputs {
    runOutputs(
      stages: (framing.windowCount == 1 ? outputs.stages : [])
        .union(makesMaps ? MapSums.stages(of: model) : []))
  }

  private func runOutputs(stages: Set<Int>) -> SessionOutputs {
    guard let pooling else {
      return SessionOutputs(stages: stages, pooled: true, segmentation: outputs.segmentation)
    }
    var outputs = SessionOutputs(stages: stages, pooled: false)
    outputs.pooling = pooling
    return outputs
  }

  /// How the network runs on that shape: as for the last case, where it had the same.
  func program(
    for shape: [Int], outputs: SessionOutputs
  ) throws(RuntimeError) -> Program {
    if let kept, kept.program.inputShape == shape, kept.program.outputs == outputs {
      return kept.program
    }
    return try model.program(
      inputShape: shape, outputs: outputs, threads: threads, precision: precision)
  }

  private func session(for program: Program) throws(PipelineError) -> Session {
    if let kept, kept.program.inputShape == program.inputShape,
      kept.program.outputs == program.outputs
    {
      return kept.session
    }
    // The old session's memory goes before the new one's comes.
    kept = nil
    do throws(RuntimeError) {
      let session = try Session(program)
      kept = (program, session)
      return session
    } catch { throw PipelineError(.runtime(error)) }
  }
}
