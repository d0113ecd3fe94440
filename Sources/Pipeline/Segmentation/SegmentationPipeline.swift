// SPDX-License-Identifier: Apache-2.0
internal import FileIO
public import Preprocessing
internal import SWTFormat
public import SWTRuntime

/// From a scan to its segmentation: what `nnUNetv2_predict` does, with the same result.
///
/// ```swift
/// let pipeline = try SegmentationPipeline(model: Model(contentsOf: "model.swt"))
/// let result = try pipeline.run(pipeline.read(files: ["case_0000.nii.gz"]))
/// for label in result.statistics() { print(label.name, label.volume ?? 0, "mL") }
/// ```
///
/// A pipeline is for one thread at a time; it keeps its session for the next case.
public final class SegmentationPipeline {
  /// The model, converted with its decoder.
  public let model: Model
  /// How scans are segmented.
  package let options: SegmentationOptions
  /// How many threads work.
  package let threads: Int

  /// Bytes that the caller holds while a case runs.
  package var heldByteCount = 0

  /// Reads cases for this pipeline; it may do so on another thread while the pipeline runs.
  package let reader: CaseReader
  /// Positions in the model's folds.
  private let folds: [Int]
  private let heads: Int
  private let rule: LabelRule
  private let mirrorings: [[Int]]
  private var kept: (fold: Int, session: Session)?

  /// Creates a pipeline.
  ///
  /// - Parameters:
  ///   - model: the model; `nnconvert convert --part network` makes such.
  ///   - options: how scans are segmented.
  ///   - threads: how many threads to use; by default as many as this process may.
  ///   - memoryLimit: the most bytes that a case may take, the process and the model included; by
  ///     default what the machine has free now.
  /// - Throws: `PipelineError` where the model has no decoder, or the options do not fit it.
  public convenience init(
    model: Model, options: SegmentationOptions = SegmentationOptions(), threads: Int? = nil,
    memoryLimit: Int? = nil
  ) throws(PipelineError) {
    try self.init(
      model: model, options: options, threads: threads, memoryLimit: memoryLimit, turningTo: nil)
  }

  /// - Parameter orientation: what to turn scans to, where the model's reader does not do so itself;
  ///   results lie as the scans.
  package init(
    model: Model, options: SegmentationOptions, threads: Int?, memoryLimit: Int?,
    turningTo orientation: ScanOrientation?
  ) throws(PipelineError) {
    let description = model.description
    guard let decoder = description.architecture.decoder else {
      throw PipelineError(.runtime(RuntimeError(.noDecoder)))
    }
    guard SegmentationOptions.stepSizes.contains(options.stepSize) else {
      throw PipelineError(.stepSize(options.stepSize))
    }
    let names = description.labels.labels.map(\.name)
    if let unknown = options.labels?.first(where: { !names.contains($0) }) {
      throw PipelineError(.unknownLabel(unknown, known: names))
    }
    let axes = options.mirroring ? description.provenance.mirroringAxes ?? [] : []
    guard axes.allSatisfy({ (0..<description.architecture.dimension).contains($0) }) else {
      throw PipelineError(
        .labels(
          "inference_allowed_mirroring_axes \(axes) are not those of a "
            + "\(description.architecture.dimension)-D network"))
    }
    self.model = model
    self.options = options
    self.threads = threads ?? ProcessorCount.available
    heads = decoder.segmentationHeads
    rule = try LabelRule(description.labels, heads: heads)
    mirrorings = Mirroring.sets(of: axes)
    reader = CaseReader(
      model: model, policy: .slidingWindow, memory: MemoryBudget(limit: memoryLimit),
      threads: self.threads, turningTo: orientation)
    folds = try Self.positions(of: options.folds, in: description)
  }

  /// Which of the model's folds are taken.
  private static func positions(
    of names: [String]?, in description: ModelDescription
  ) throws(PipelineError) -> [Int] {
    let folds = description.folds
    guard let names else { return Array(folds.isEmpty ? 0..<1 : folds.indices) }
    let known = folds.isEmpty ? [description.provenance.fold].compactMap { $0 } : folds.map(\.name)
    var result: [Int] = []
    for name in names {
      guard let position = known.firstIndex(of: name), !result.contains(position) else {
        throw PipelineError(.unknownFold(name, known: known))
      }
      result.append(position)
    }
    guard !result.isEmpty else { throw PipelineError(.unknownFold("", known: known)) }
    return result
  }

  /// The most bytes that a case may take; `nil` where there is no limit.
  package var memoryLimit: Int? { reader.memory.limit }

  /// Whether the model is a cascade's second stage, which takes the first one's segmentation.
  public var takesPrevious: Bool { !model.description.preprocessing.cascadeLabels.isEmpty }

  // MARK: - From file to result

  /// Reads a case's files, one per channel in the order of `channel_names`.
  ///
  /// - Throws: `PipelineError`, also where the voxels alone take too much.
  public func read(files: [String]) throws(PipelineError) -> Case { try reader.read(files: files) }

  /// Reads what a cascade's first stage made of a scan.
  public func readPrevious(file: String) throws(PipelineError) -> Volume {
    try reader.readSegmentation(file: file)
  }

  /// What segmenting a case would take.
  ///
  /// - Throws: `PipelineError` where the network cannot take windows of the patch size; not for
  ///   memory.
  public func estimate(_ scan: borrowing Case) throws(PipelineError) -> SegmentationEstimate {
    try estimate(scan.geometry)
  }

  package func estimate(_ geometry: PreparedGeometry) throws(PipelineError) -> SegmentationEstimate
  {
    let window = window(geometry)
    let programs = try folds.map { fold throws(PipelineError) in try program(fold: fold) }
    let running =
      geometry.shape.reduce(MemoryLayout<Float>.stride, *) + window.byteCount
      + programs[0].activationByteCount + programs.reduce(0) { $0 + $1.weightByteCount }
      + resultByteCount(geometry)
    return SegmentationEstimate(
      geometry: geometry, windowCount: window.framing.windowCount,
      mirroringCount: mirrorings.count, foldCount: foldCount,
      windowShape: window.framing.inputShape, windowFlops: programs[0].flops,
      peakByteCount: CaseEstimate.baseByteCount + model.byteCount
        + heldByteCount + max(geometry.peakByteCount, running))
  }

  /// Refuses a case that would take more memory than it may.
  ///
  /// - Throws: `PipelineError` where it takes more memory than it may.
  package func check(_ estimate: SegmentationEstimate) throws(PipelineError) {
    if let limit = memoryLimit, estimate.peakByteCount > limit {
      throw PipelineError(.tooLarge(.running, needed: estimate.peakByteCount, limit: limit))
    }
  }

  /// Segments a case.
  ///
  /// - Parameters:
  ///   - scan: from `read`; its voxels are freed on the way.
  ///   - previous: for a cascade's second stage, what the first one made of the scan.
  ///   - progress: told how many runs of the network are done, of how many; what it throws ends the
  ///     run.
  /// - Throws: `PipelineError`, before any work where it takes more memory than it may.
  public func run(
    _ scan: consuming Case, previous: Volume? = nil,
    progress: (_ done: Int, _ count: Int) throws(PipelineError) -> Void = { _, _ in }
  ) throws(PipelineError) -> Segmentation {
    try check(estimate(scan))
    guard let geometry = scan.place else { throw PipelineError(.noPlace) }
    let image = try reader.prepare(scan, previous: previous)
    return try run(image, geometry: geometry, progress: progress)
  }

  /// Segments a case that was prepared ahead.
  package func run(
    _ ready: PreparedCase,
    progress: (_ done: Int, _ count: Int) throws(PipelineError) -> Void
  ) throws(PipelineError) -> Segmentation {
    try check(estimate(ready.image.geometry))
    guard let geometry = ready.place else { throw PipelineError(.noPlace) }
    return try run(ready.image, geometry: geometry, progress: progress)
  }

  /// Segments a prepared image of a scan that lies as `geometry` says.
  package func run(
    _ image: PreparedImage, geometry: ScanGeometry,
    progress: (_ done: Int, _ count: Int) throws(PipelineError) -> Void = { _, _ in }
  ) throws(PipelineError) -> Segmentation {
    let preprocessing = model.description.preprocessing
    let window = window(image.geometry)
    let resampling: LogitsResampling
    do throws(PreprocessingError) {
      resampling = try LogitsResampling(preprocessing, geometry: image.geometry)
    } catch { throw PipelineError(.preprocessing(error)) }
    let placement = ScanPlacement(
      image.geometry, transposeForward: preprocessing.transposeForward)
    let assembly = try LabelAssembly(
      window, rule: rule, resampling: resampling, placement: placement,
      keepsLogits: options.probabilities)
    let count = window.runCount
    try window.run(
      image.values, network: SessionNetwork(pipeline: self),
      progress: { (done) throws(PipelineError) in try progress(done, count) },
      { assembly.take($0) })
    let probabilities =
      options.probabilities
      ? Probabilities(
        logits: assembly.takeLogits(), heads: heads,
        shape: resampling.axes.map(\.outputCount), placement: placement, rule: rule,
        threads: threads) : nil
    var result = Segmentation(
      assembly.labels, geometry: geometry, description: model.description.labels,
      probabilities: probabilities)
    if let postprocessing = options.postprocessing { result.apply(postprocessing) }
    if let labels = options.labels { result.keep(labels) }
    return result
  }

  // MARK: - Parts

  private var foldCount: Int { folds.count }

  private func window(_ geometry: PreparedGeometry) -> SlidingWindow {
    SlidingWindow(
      framing: InputFraming(
        .slidingWindow, imageShape: geometry.shape, model: model.description,
        stepSize: options.stepSize),
      heads: heads, folds: foldCount, mirrorings: mirrorings, threads: threads)
  }

  /// Labels, and logits where probabilities are made of them.
  private func resultByteCount(_ geometry: PreparedGeometry) -> Int {
    let cropped = geometry.cropBox.map(\.count).reduce(1, *)
    return geometry.originalShape.reduce(MemoryLayout<UInt16>.stride, *)
      + (options.probabilities ? heads * cropped * MemoryLayout<Float>.stride : 0)
  }

  /// What one of the model's folds runs.
  private func program(fold: Int) throws(PipelineError) -> Program {
    let description = model.description
    var outputs = SessionOutputs(pooled: false)
    outputs.segmentationSlabs = true
    do throws(RuntimeError) {
      return try model.program(
        inputShape: [description.architecture.inputChannels]
          + description.preprocessing.patchSize,
        outputs: outputs, threads: threads, fold: fold)
    } catch { throw PipelineError(.runtime(error)) }
  }

  /// The session of one of the folds that are taken; one at a time has its memory.
  fileprivate func session(fold index: Int) throws(PipelineError) -> Session {
    let fold = folds[index]
    if let kept, kept.fold == fold { return kept.session }
    kept = nil
    let program = try program(fold: fold)
    do throws(RuntimeError) {
      let session = try Session(program)
      kept = (fold, session)
      return session
    } catch { throw PipelineError(.runtime(error)) }
  }
}

/// A pipeline's sessions, as the sliding window uses them.
struct SessionNetwork: WindowNetwork {
  fileprivate let pipeline: SegmentationPipeline

  func run(
    _ window: UnsafeBufferPointer<Float>, fold: Int, _ body: (any WindowLogits) -> Void
  ) throws(PipelineError) {
    let session = try pipeline.session(fold: fold)
    do throws(RuntimeError) { try session.run(window) } catch {
      throw PipelineError(.runtime(error))
    }
    session.forEachSegmentationSlab { body($0) }
  }
}
