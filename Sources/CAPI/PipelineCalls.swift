// SPDX-License-Identifier: Apache-2.0
public import CSWT
internal import FileIO
internal import Pipeline
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

extension PipelineObject {
  /// How many pooled features a run gives.
  var pooledCount: Int {
    let widths = model.model.description.architecture.featuresPerStage
    return pipeline.pooling?.featureCount(widths) ?? widths.last ?? 0
  }
}

/// Where the caller wants results; one of the two may be NULL.
struct PipelineResults {
  let pooled: UnsafeMutableBufferPointer<Float>?
  let logits: UnsafeMutableBufferPointer<Float>?

  /// Refuses what does not fit the model, before any work is done.
  init(
    _ pooled: UnsafeMutablePointer<Float>?, _ pooledCount: Int,
    _ logits: UnsafeMutablePointer<Float>?, _ logitCount: Int, for object: PipelineObject
  ) throws {
    guard pooled != nil || logits != nil else {
      throw CallFailure.usage("pooled and logits are both NULL")
    }
    let features = object.pooledCount
    guard pooled == nil || pooledCount == features else {
      throw CallFailure.usage("pooled_count \(pooledCount) is not \(features)")
    }
    self.pooled = try pooled.map { try Argument.pointer($0, count: features, "pooled") }
    guard let logits else {
      self.logits = nil
      return
    }
    guard let classifier = object.model.model.description.classifier else {
      throw RuntimeError(.noClassifier)
    }
    guard object.pipeline.outputs.logits else {
      throw CallFailure.usage("logits: the pipeline gives none")
    }
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
  create(model, pipeline, error) { _ in
    try PipelineChoices(policy: policy, threads: threads, memoryLimit: memoryLimit)
  }
}

/// `swt_pipeline_create_with`: see `swt.h`.
@_cdecl("swt_pipeline_create_with")
public func swtPipelineCreateWith(
  _ model: OpaquePointer?, _ options: UnsafePointer<swt_pipeline_options>?,
  _ pipeline: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  create(model, pipeline, error) { model in try PipelineChoices(options, for: model) }
}

private func create(
  _ model: OpaquePointer?, _ pipeline: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<swt_error>?, _ choices: (Model) throws -> PipelineChoices
) -> swt_status {
  CallFailure.report(error) {
    let place = try Argument.handle(pipeline, "pipeline")
    let object = try HandleTable.shared.object(model, "model", as: ModelObject.self)
    let made = try choices(object.model).makePipeline(object.model)
    place[0] = try HandleTable.shared.insert(PipelineObject(object, made))
  }
}

/// `swt_pipeline_pooled_count`: see `swt.h`.
@_cdecl("swt_pipeline_pooled_count")
public func swtPipelinePooledCount(_ pipeline: OpaquePointer?) -> Int {
  let object = try? HandleTable.shared.object(pipeline, "pipeline", as: PipelineObject.self)
  return object?.pooledCount ?? 0
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
      pooled, pooledCount, logits, logitCount, for: object)
    try object.run(object.pipeline.read(files: Argument.files(files, fileCount)), results)
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
      pooled, pooledCount, logits, logitCount, for: object)
    let study = try StudyArgument(folder, series, seriesCount, convention)
    try object.run(
      object.pipeline.read(
        dicom: study.folder, series: study.series, convention: study.convention), results)
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
      pooled, pooledCount, logits, logitCount, for: object)
    let volumes = try Argument.volumes(channels, channelCount, shape, spacing)
    try object.run(object.pipeline.makeCase(of: volumes), results)
  }
}

/// `swt_pipeline_stage_shape`: see `swt.h`.
@_cdecl("swt_pipeline_stage_shape")
public func swtPipelineStageShape(
  _ pipeline: OpaquePointer?, _ stage: Int32, _ shape: UnsafeMutablePointer<Int64>?, _ rank: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(pipeline, error) { object in
    try object.withFeatures(ofStage: stage) { sizes, _ in
      let target = try Argument.target(shape, rank, expected: sizes.count, "shape")
      for (index, size) in sizes.enumerated() { target[index] = Int64(size) }
    }
  }
}

/// `swt_pipeline_stage`: see `swt.h`.
@_cdecl("swt_pipeline_stage")
public func swtPipelineStage(
  _ pipeline: OpaquePointer?, _ stage: Int32, _ values: UnsafeMutablePointer<Float>?,
  _ count: Int, _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(pipeline, error) { object in
    try object.withFeatures(ofStage: stage) { _, features in
      let target = try Argument.target(values, count, expected: features.count, "stage \(stage)")
      _ = target.update(from: features)
    }
  }
}

extension PipelineObject {
  /// Lends the features of a stage that the last run kept.
  fileprivate func withFeatures(
    ofStage stage: Int32, _ body: ([Int], UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    let wanted = Int(stage)
    guard pipeline.outputs.stages.contains(wanted) else {
      throw CallFailure.usage("stage \(stage) was not asked for")
    }
    guard try pipeline.withFeatures(ofStage: wanted, body) != nil else {
      throw CallFailure.usage(
        "stage \(stage): the pipeline has not run yet, or on several windows, whose stages overlap")
    }
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
