public import CSWT
internal import Pipeline
internal import Preprocessing
internal import SWTFormat
internal import SWTRuntime

/// What a `swt_pipeline` is.
final class PipelineObject {
  let model: ModelObject
  let pipeline: EncoderPipeline

  init(_ model: ModelObject, _ pipeline: EncoderPipeline) {
    self.model = model
    self.pipeline = pipeline
  }

  /// Runs channels and copies what is wanted.
  func run(_ channels: consuming [Volume], _ results: PipelineResults) throws {
    let plan = try pipeline.plan(channels)
    try pipeline.checkMemory(plan)
    let output = try pipeline.run(
      pipeline.prepare(consume channels, geometry: plan.geometry))
    if results.pooled != nil {
      try copy(output.pooled, "pooled features", to: results.pooled, results.pooledCount)
    }
    if results.logits != nil {
      try copy(output.logits, "logits", to: results.logits, results.logitCount)
    }
  }
}

/// Where the caller wants results; either may be NULL.
struct PipelineResults {
  let pooled: UnsafeMutablePointer<Float>?
  let pooledCount: Int
  let logits: UnsafeMutablePointer<Float>?
  let logitCount: Int

  /// Refuses sizes that do not fit before any work is done.
  func check(_ model: Model) throws {
    let features = model.description.architecture.featuresPerStage.last ?? 0
    let classes = model.description.classifier?.classNames.count
    guard pooled == nil || pooledCount == features else {
      throw CallFailure.usage("pooled_count \(pooledCount) is not \(features)")
    }
    guard logits == nil || classes != nil else { throw RuntimeError.noClassifier }
    guard logits == nil || logitCount == classes else {
      throw CallFailure.usage("logit_count \(logitCount) is not \(classes ?? 0)")
    }
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
    guard let pipeline else { throw CallFailure.usage("pipeline is NULL") }
    pipeline.pointee = nil
    guard let object = Handle.object(model, as: ModelObject.self) else {
      throw CallFailure.usage("model is NULL")
    }
    guard (0...1024).contains(threads) else {
      throw CallFailure.usage("threads \(threads) is not 0 to 1024")
    }
    let name = policy.map { String(cString: $0) }
    let chosen = name.flatMap { InputPolicy(rawValue: $0) }
    guard name == nil || chosen != nil else {
      throw CallFailure.usage("policy is none of whole, sliding-window, center-crop")
    }
    let made = EncoderPipeline(
      model: object.model, policy: chosen,
      outputs: SessionOutputs(
        pooled: true, logits: object.model.description.classifier != nil),
      threads: threads == 0 ? nil : Int(threads),
      memoryLimit: memoryLimit == 0 ? nil : Int(clamping: memoryLimit))
    pipeline.pointee = Handle.make(PipelineObject(object, made))
  }
}

/// `swt_pipeline_close`: see `swt.h`.
@_cdecl("swt_pipeline_close")
public func swtPipelineClose(_ pipeline: UnsafeMutablePointer<OpaquePointer?>?) {
  Handle.close(pipeline)
}

/// `swt_pipeline_run_files`: see `swt.h`.
@_cdecl("swt_pipeline_run_files")
public func swtPipelineRunFiles(
  _ pipeline: OpaquePointer?, _ files: UnsafePointer<UnsafePointer<CChar>?>?, _ fileCount: Int,
  _ pooled: UnsafeMutablePointer<Float>?, _ pooledCount: Int,
  _ logits: UnsafeMutablePointer<Float>?, _ logitCount: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  CallFailure.report(error) {
    let results = PipelineResults(
      pooled: pooled, pooledCount: pooledCount, logits: logits, logitCount: logitCount)
    let object = try pipelineObject(pipeline, results)
    guard let files, (1...1024).contains(fileCount) else {
      throw CallFailure.usage("files is NULL or file_count \(fileCount) is not 1 to 1024")
    }
    var paths: [String] = []
    for index in 0..<fileCount {
      guard let path = files[index] else { throw CallFailure.usage("files[\(index)] is NULL") }
      paths.append(String(cString: path))
    }
    var scan = try object.pipeline.read(files: paths)
    try object.run(scan.takeChannels(), results)
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
  CallFailure.report(error) {
    let results = PipelineResults(
      pooled: pooled, pooledCount: pooledCount, logits: logits, logitCount: logitCount)
    let object = try pipelineObject(pipeline, results)
    guard let channels, (1...1024).contains(channelCount) else {
      throw CallFailure.usage("channels is NULL or channel_count \(channelCount) is not 1 to 1024")
    }
    guard let shape, let spacing else { throw CallFailure.usage("shape or spacing is NULL") }
    let sizes = (0..<3).map { Int(shape[$0]) }
    guard sizes.allSatisfy({ (1...65_536).contains($0) }) else {
      throw CallFailure.usage("shape \(sizes) is not three sizes of 1 to 65536")
    }
    var volumes: [Volume] = []
    for index in 0..<channelCount {
      guard let channel = channels[index] else {
        throw CallFailure.usage("channels[\(index)] is NULL")
      }
      volumes.append(
        try Volume(
          shape: sizes, spacing: (0..<3).map { spacing[$0] },
          values: Array(UnsafeBufferPointer(start: channel, count: sizes.reduce(1, *)))))
    }
    try object.run(volumes, results)
  }
}

private func pipelineObject(
  _ pipeline: OpaquePointer?, _ results: PipelineResults
) throws -> PipelineObject {
  guard let object = Handle.object(pipeline, as: PipelineObject.self) else {
    throw CallFailure.usage("pipeline is NULL")
  }
  try results.check(object.model.model)
  return object
}
