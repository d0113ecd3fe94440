public import CSWT
internal import DICOM
internal import FileIO
internal import Pipeline
internal import Preprocessing
internal import SWTFormat
internal import SWTRuntime

/// What a `swt_pipeline` is.
final class PipelineObject: ExclusiveObject {
  let model: ModelObject
  let pipeline: EncoderPipeline

  init(_ model: ModelObject, _ pipeline: EncoderPipeline) {
    self.model = model
    self.pipeline = pipeline
  }

  /// Runs a case and copies what is wanted.
  func run(_ scan: consuming Case, _ results: PipelineResults) throws {
    let output = try pipeline.run(scan)
    if let pooled = results.pooled { _ = pooled.update(from: output.pooled) }
    if let logits = results.logits, let values = output.logits {
      _ = logits.update(from: values)
    }
  }
}

/// Where the caller wants results; one of the two may be NULL.
struct PipelineResults {
  let pooled: UnsafeMutableBufferPointer<Float>?
  let logits: UnsafeMutableBufferPointer<Float>?

  /// Refuses what does not fit the model, before any work is done.
  init(
    _ pooled: UnsafeMutablePointer<Float>?, _ pooledCount: Int,
    _ logits: UnsafeMutablePointer<Float>?, _ logitCount: Int, for model: Model
  ) throws {
    guard pooled != nil || logits != nil else {
      throw CallFailure.usage("pooled and logits are both NULL")
    }
    let features = model.description.architecture.featuresPerStage.last ?? 0
    guard pooled == nil || pooledCount == features else {
      throw CallFailure.usage("pooled_count \(pooledCount) is not \(features)")
    }
    self.pooled = try pooled.map { try Argument.pointer($0, count: features, "pooled") }
    guard let logits else {
      self.logits = nil
      return
    }
    guard let classifier = model.description.classifier else { throw RuntimeError.noClassifier }
    let classes = classifier.classNames.count
    guard logitCount == classes else {
      throw CallFailure.usage("logit_count \(logitCount) is not \(classes)")
    }
    self.logits = try Argument.pointer(logits, count: classes, "logits")
  }
}

/// `swt_pipeline_create`: see `swt.h`.
@_cdecl("swt_pipeline_create")
public func swtPipelineCreate(
  _ model: OpaquePointer?, _ policy: UnsafePointer<CChar>?, _ threads: Int32,
  _ memoryLimit: UInt64, _ pipeline: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  CallFailure.report(error) {
    let place = try Argument.handle(pipeline, "pipeline")
    let object = try HandleTable.shared.object(model, "model", as: ModelObject.self)
    let threads = try Argument.threads(threads)
    let name = try policy.map { try Argument.text($0, "policy") }
    let chosen = name.flatMap { InputPolicy(rawValue: $0) }
    guard name == nil || chosen != nil else {
      throw CallFailure.usage("policy is none of whole, sliding-window, center-crop")
    }
    let made = EncoderPipeline(
      model: object.model, policy: chosen,
      outputs: SessionOutputs(
        pooled: true, logits: object.model.description.classifier != nil),
      threads: threads,
      memoryLimit: memoryLimit == 0 ? nil : Int(clamping: memoryLimit))
    place[0] = try HandleTable.shared.insert(PipelineObject(object, made))
  }
}

/// `swt_pipeline_close`: see `swt.h`.
@_cdecl("swt_pipeline_close")
public func swtPipelineClose(_ pipeline: UnsafeMutablePointer<OpaquePointer?>?) -> swt_status {
  close(pipeline, "pipeline", as: PipelineObject.self)
}

/// `swt_pipeline_run_files`: see `swt.h`.
@_cdecl("swt_pipeline_run_files")
public func swtPipelineRunFiles(
  _ pipeline: OpaquePointer?, _ files: UnsafePointer<UnsafePointer<CChar>?>?, _ fileCount: Int,
  _ pooled: UnsafeMutablePointer<Float>?, _ pooledCount: Int,
  _ logits: UnsafeMutablePointer<Float>?, _ logitCount: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(pipeline, error) { object in
    let results = try PipelineResults(
      pooled, pooledCount, logits, logitCount, for: object.model.model)
    guard (1...1024).contains(fileCount) else {
      throw CallFailure.usage("file_count \(fileCount) is not 1 to 1024")
    }
    let paths = try Argument.pointer(files, count: fileCount, "files").enumerated()
      .map { try Argument.text($1, "files[\($0)]") }
    try object.run(object.pipeline.read(files: paths), results)
  }
}

/// `swt_pipeline_run_dicom`: see `swt.h`.
@_cdecl("swt_pipeline_run_dicom")
public func swtPipelineRunDICOM(
  _ pipeline: OpaquePointer?, _ folder: UnsafePointer<CChar>?,
  _ series: UnsafePointer<UnsafePointer<CChar>?>?, _ seriesCount: Int,
  _ convention: UnsafePointer<CChar>?, _ pooled: UnsafeMutablePointer<Float>?, _ pooledCount: Int,
  _ logits: UnsafeMutablePointer<Float>?, _ logitCount: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(pipeline, error) { object in
    let results = try PipelineResults(
      pooled, pooledCount, logits, logitCount, for: object.model.model)
    guard (0...1024).contains(seriesCount) else {
      throw CallFailure.usage("series_count \(seriesCount) is not 0 to 1024")
    }
    let folder = try Argument.text(folder, "folder")
    let names =
      seriesCount == 0
      ? []
      : try Argument.pointer(series, count: seriesCount, "series").enumerated()
        .map { try Argument.text($1, "series[\($0)]") }
    let chosen = try convention.map { text in
      let name = try Argument.text(text, "convention")
      guard let convention = DICOMConvention(name: name) else {
        throw CallFailure.usage(
          "convention \(DisplayText.quoted(name)) is none of "
            + DICOMConvention.names.joined(separator: ", "))
      }
      return convention
    }
    try object.run(
      object.pipeline.read(dicom: folder, series: names, convention: chosen), results)
  }
}

/// `swt_pipeline_run_volumes`: see `swt.h`.
@_cdecl("swt_pipeline_run_volumes")
public func swtPipelineRunVolumes(
  _ pipeline: OpaquePointer?, _ channels: UnsafePointer<UnsafePointer<Float>?>?,
  _ channelCount: Int, _ shape: UnsafePointer<Int64>?, _ spacing: UnsafePointer<Double>?,
  _ pooled: UnsafeMutablePointer<Float>?, _ pooledCount: Int,
  _ logits: UnsafeMutablePointer<Float>?, _ logitCount: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(pipeline, error) { object in
    let results = try PipelineResults(
      pooled, pooledCount, logits, logitCount, for: object.model.model)
    guard (1...1024).contains(channelCount) else {
      throw CallFailure.usage("channel_count \(channelCount) is not 1 to 1024")
    }
    let sizes = try Argument.pointer(shape, count: 3, "shape").map { Int($0) }
    let spacing = Array(try Argument.pointer(spacing, count: 3, "spacing"))
    guard sizes.allSatisfy({ (1...65_536).contains($0) }) else {
      throw CallFailure.usage("shape \(sizes) is not three sizes of 1 to 65536")
    }
    let count = sizes.reduce(1, *)
    let voxels = try Argument.pointer(channels, count: channelCount, "channels").enumerated()
      .map { try Argument.pointer($1, count: count, "channels[\($0)]") }
    // They are copied, so that preprocessing can free them on its way.
    try checkMemory(count * channelCount * MemoryLayout<Float>.stride)
    let volumes = try voxels.map { try Volume(shape: sizes, spacing: spacing, values: Array($0)) }
    try object.run(object.pipeline.makeCase(of: volumes), results)
  }
}

private func call(
  _ pipeline: OpaquePointer?, _ error: UnsafeMutablePointer<swt_error>?,
  _ body: (PipelineObject) throws -> Void
) -> swt_status {
  CallFailure.report(error) {
    try HandleTable.shared.use(pipeline, "pipeline", as: PipelineObject.self, body)
  }
}
