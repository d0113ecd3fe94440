// SPDX-License-Identifier: Apache-2.0
public import CSWT
internal import Pipeline
internal import Preprocessing
internal import SWTFormat
internal import SWTRuntime

/// `swt_case_read_files`: see `swt.h`.
@_cdecl("swt_case_read_files")
public func swtCaseReadFiles(
  _ pipeline: OpaquePointer?, _ files: UnsafePointer<UnsafePointer<CChar>?>?, _ fileCount: Int,
  _ scan: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  read(pipeline, scan, error) { reader in
    try reader.read(files: Argument.files(files, fileCount))
  }
}

/// `swt_case_read_dicom`: see `swt.h`.
@_cdecl("swt_case_read_dicom")
public func swtCaseReadDICOM(
  _ pipeline: OpaquePointer?, _ folder: UnsafePointer<CChar>?,
  _ series: UnsafePointer<UnsafePointer<CChar>?>?, _ seriesCount: Int,
  _ convention: UnsafePointer<CChar>?, _ scan: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  read(pipeline, scan, error) { reader in
    let study = try StudyArgument(folder, series, seriesCount, convention)
    return try reader.read(
      folder: study.folder, series: study.series, convention: study.convention)
  }
}

/// `swt_case_read_volumes`: see `swt.h`.
@_cdecl("swt_case_read_volumes")
public func swtCaseReadVolumes(
  _ pipeline: OpaquePointer?, _ channels: UnsafePointer<UnsafePointer<Float>?>?,
  _ channelCount: Int, _ shape: UnsafePointer<Int64>?, _ spacing: UnsafePointer<Double>?,
  _ affine: UnsafePointer<Double>?, _ scan: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  read(pipeline, scan, error) { reader in
    let numbers = try affine.map { Array(try Argument.pointer($0, count: 12, "affine")) }
    guard numbers?.allSatisfy(\.isFinite) != false else {
      throw CallFailure.usage("affine has numbers that are not finite")
    }
    let volumes = try Argument.volumes(channels, channelCount, shape, spacing)
    return try reader.makeCase(
      of: volumes,
      affine: numbers.map { numbers in (0..<3).map { Array(numbers[4 * $0..<4 * $0 + 4]) } })
  }
}

/// `swt_case_close`: see `swt.h`.
@_cdecl("swt_case_close")
public func swtCaseClose(_ scan: UnsafeMutablePointer<OpaquePointer?>?) -> swt_status {
  close(scan, "scan", as: CaseObject.self)
}

/// `swt_case_description`: see `swt.h`.
@_cdecl("swt_case_description")
public func swtCaseDescription(_ scan: OpaquePointer?) -> UnsafePointer<CChar>? {
  let object = try? HandleTable.shared.object(scan, "scan", as: CaseObject.self)
  return object?.description.map { UnsafePointer($0) }
}

/// `swt_case_preprocess`: see `swt.h`.
@_cdecl("swt_case_preprocess")
public func swtCasePreprocess(
  _ scan: OpaquePointer?, _ values: UnsafeMutablePointer<Float>?, _ count: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(scan, error) { object in
    // Checked before any work.
    let target = try Argument.target(
      values, count, expected: object.preparedShape.reduce(1, *), "values")
    _ = target.update(from: try object.prepared().values)
  }
}

/// `swt_case_run`: see `swt.h`.
@_cdecl("swt_case_run")
public func swtCaseRun(
  _ pipeline: OpaquePointer?, _ scan: OpaquePointer?, _ progress: swt_progress?,
  _ context: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(scan, error) { object in
    try HandleTable.shared.use(pipeline, "pipeline", as: PipelineObject.self) { user in
      guard user.model.model.modelID == object.model.model.modelID,
        user.pipeline.policy == object.policy
      else {
        throw CallFailure.usage("the case was read for another model or input policy")
      }
      try object.run(user.pipeline) { done, count throws(PipelineError) in
        if let progress, progress(context, done, count) != 0, done < count {
          throw PipelineError(.cancelled)
        }
      }
    }
  }
}

/// `swt_case_pooled`: see `swt.h`.
@_cdecl("swt_case_pooled")
public func swtCasePooled(
  _ scan: OpaquePointer?, _ values: UnsafeMutablePointer<Float>?, _ count: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(scan, error) { try Argument.copy($0.finished().pooled, to: values, count, "pooled") }
}

/// `swt_case_logits`: see `swt.h`.
@_cdecl("swt_case_logits")
public func swtCaseLogits(
  _ scan: OpaquePointer?, _ values: UnsafeMutablePointer<Float>?, _ count: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(scan, error) { try Argument.copy($0.logits(), to: values, count, "logits") }
}

/// `swt_case_probabilities`: see `swt.h`.
@_cdecl("swt_case_probabilities")
public func swtCaseProbabilities(
  _ scan: OpaquePointer?, _ values: UnsafeMutablePointer<Double>?, _ count: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(scan, error) { object in
    let logits = try object.logits()
    let classifier = object.model.model.description.classifier
    try Argument.copy(
      classifier?.probabilities(logits) ?? [], to: values, count, "probabilities")
  }
}

/// `swt_case_distance`: see `swt.h`.
@_cdecl("swt_case_distance")
public func swtCaseDistance(
  _ scan: OpaquePointer?, _ distance: UnsafeMutablePointer<Double>?,
  _ isForeign: UnsafeMutablePointer<Int32>?, _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(scan, error) { object in
    let distancePlace = try Argument.pointer(distance, "distance")
    let foreignPlace = try Argument.pointer(isForeign, "is_foreign")
    guard let found = try object.finished().foreignDistance,
      let fitted = object.model.model.description.classifier?.outOfDistribution
    else { throw CallFailure.usage("the model's classifier tells no distance from training") }
    distancePlace[0] = found
    foreignPlace[0] = found > fitted.threshold ? 1 : 0
  }
}

/// `swt_case_map`: see `swt.h`.
@_cdecl("swt_case_map")
public func swtCaseMap(
  _ scan: OpaquePointer?, _ classIndex: Int, _ values: UnsafeMutablePointer<Float>?,
  _ count: Int, _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(scan, error) { object in
    guard let maps = try object.finished().maps else {
      throw CallFailure.usage("maps were not asked for")
    }
    guard maps.parts.indices.contains(classIndex) else {
      throw CallFailure.usage("class_index \(classIndex) is not below \(maps.parts.count)")
    }
    let target = try Argument.target(
      values, count, expected: maps.shape.reduce(1, *), "values")
    _ = target.update(from: maps.scanMap(ofClass: classIndex))
  }
}

extension CaseObject {
  /// The logits of a case that has run.
  fileprivate func logits() throws -> [Float] {
    guard let logits = try finished().logits else {
      throw CallFailure.usage("logits: the pipeline gives none")
    }
    return logits
  }
}

/// Reads a case without keeping its pipeline from running.
private func read(
  _ pipeline: OpaquePointer?, _ scan: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<swt_error>?, _ body: (CaseReader) throws -> Case
) -> swt_status {
  CallFailure.report(error) {
    let place = try Argument.handle(scan, "scan")
    let object = try HandleTable.shared.object(pipeline, "pipeline", as: PipelineObject.self)
    let reader = object.pipeline.reader
    place[0] = try HandleTable.shared.insert(
      CaseObject(object.model, reader: reader, body(reader)))
  }
}

private func call(
  _ scan: OpaquePointer?, _ error: UnsafeMutablePointer<swt_error>?,
  _ body: (CaseObject) throws -> Void
) -> swt_status {
  CallFailure.report(error) {
    try HandleTable.shared.use(scan, "scan", as: CaseObject.self, body)
  }
}
