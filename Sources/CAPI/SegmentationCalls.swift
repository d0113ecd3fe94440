// SPDX-License-Identifier: Apache-2.0
public import CSWT
internal import Pipeline
internal import Preprocessing
internal import SWTFormat
internal import SWTRuntime

/// What `swt_segment` is asked for besides the files.
private struct SegmentationRequest {
  var options = SegmentationOptions()
  var threads: Int?
  var memoryLimit: Int?
  var previous: UnsafePointer<UInt16>?
  var progress: swt_progress?
  var context: UnsafeMutableRawPointer?

  init(_ given: UnsafePointer<swt_segment_options>?) throws {
    guard let given else { return }
    let values = try Argument.pointer(given, "options")[0]
    options.mirroring = values.no_mirroring == 0
    if values.step_size != 0 { options.stepSize = values.step_size }
    threads = try Argument.threads(values.threads)
    memoryLimit = values.memory_limit == 0 ? nil : Int(clamping: values.memory_limit)
    previous = values.previous
    progress = values.progress
    context = values.context
  }

  /// Segments the case that `read` gives.
  func segment(
    _ model: Model, into labels: UnsafeMutableBufferPointer<UInt16>,
    _ read: (SegmentationPipeline) throws -> Case
  ) throws {
    let pipeline = try SegmentationPipeline(
      model: model, options: options, threads: threads, memoryLimit: memoryLimit)
    let scan = try read(pipeline)
    let shape = scan.place?.shape ?? []
    guard labels.count == shape.reduce(1, *) else {
      throw CallFailure.usage("label_count \(labels.count) is not that of \(shape)")
    }
    let previous = try previous.map { pointer in
      let values = try Argument.pointer(pointer, count: labels.count, "previous")
      return try Volume(shape: shape, spacing: [1, 1, 1], values: values.map { Float($0) })
    }
    let result = try pipeline.run(
      scan, previous: previous,
      progress: { (done, count) throws(PipelineError) in try tell(done, count) })
    _ = labels.update(from: result.labels)
  }

  /// Tells the caller, who may stop the run.
  func tell(_ done: Int, _ count: Int) throws(PipelineError) {
    if let progress, progress(context, done, count) != 0, done < count {
      throw PipelineError(.cancelled)
    }
  }
}

/// `swt_session_segmentation_shape`: see `swt.h`.
@_cdecl("swt_session_segmentation_shape")
public func swtSessionSegmentationShape(
  _ session: OpaquePointer?, _ shape: UnsafeMutablePointer<Int64>?, _ rank: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(session, error) { object in
    let sizes = object.session.withSegmentation { shape, _ in shape }
    try object.tell(sizes, "segmentation", to: shape, rank)
  }
}

/// `swt_session_segmentation`: see `swt.h`.
@_cdecl("swt_session_segmentation")
public func swtSessionSegmentation(
  _ session: OpaquePointer?, _ values: UnsafeMutablePointer<Float>?, _ count: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(session, error) { object in
    try object.copyMap("segmentation", to: values, count) {
      try object.session.withSegmentation($0)
    }
  }
}

/// `swt_scan_shape`: see `swt.h`.
@_cdecl("swt_scan_shape")
public func swtScanShape(
  _ model: OpaquePointer?, _ file: UnsafePointer<CChar>?, _ shape: UnsafeMutablePointer<Int64>?,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  CallFailure.report(error) {
    let place = try Argument.pointer(shape, count: 3, "shape")
    let object = try HandleTable.shared.object(model, "model", as: ModelObject.self)
    let sizes = try Preprocessor(description: object.model.description.preprocessing)
      .shape(ofFile: Argument.text(file, "file"))
    for (index, size) in sizes.enumerated() { place[index] = Int64(size) }
  }
}

/// `swt_segment`: see `swt.h`.
@_cdecl("swt_segment")
public func swtSegment(
  _ model: OpaquePointer?, _ files: UnsafePointer<UnsafePointer<CChar>?>?, _ fileCount: Int,
  _ options: UnsafePointer<swt_segment_options>?, _ labels: UnsafeMutablePointer<UInt16>?,
  _ labelCount: Int, _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  CallFailure.report(error) {
    let object = try HandleTable.shared.object(model, "model", as: ModelObject.self)
    let request = try SegmentationRequest(options)
    let paths = try Argument.files(files, fileCount)
    let target = try Argument.pointer(labels, count: labelCount, "labels")
    try request.segment(object.model, into: target) { try $0.read(files: paths) }
  }
}

/// `swt_case_segment`: see `swt.h`.
@_cdecl("swt_case_segment")
public func swtCaseSegment(
  _ model: OpaquePointer?, _ scan: OpaquePointer?, _ options: UnsafePointer<swt_segment_options>?,
  _ labels: UnsafeMutablePointer<UInt16>?, _ labelCount: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  CallFailure.report(error) {
    let object = try HandleTable.shared.object(model, "model", as: ModelObject.self)
    let request = try SegmentationRequest(options)
    try HandleTable.shared.use(scan, "scan", as: CaseObject.self) { scan in
      guard scan.model.model.modelID == object.model.modelID else {
        throw CallFailure.usage("the case was read for another model")
      }
      let target = try Argument.target(
        labels, labelCount, expected: scan.shape.reduce(1, *), "labels")
      try request.segment(object.model, into: target) { _ in try scan.takeScan() }
    }
  }
}
