public import CSWT
internal import SWTFormat
internal import SWTRuntime

/// What a `swt_session` is.
final class SessionObject {
  let model: ModelObject
  let session: Session
  /// Values of strided inputs in row-major order; empty until one comes.
  var gathered: [Float] = []

  init(_ model: ModelObject, _ session: Session) {
    self.model = model
    self.session = session
  }
}

/// `swt_session_create`: see `swt.h`.
@_cdecl("swt_session_create")
public func swtSessionCreate(
  _ model: OpaquePointer?, _ shape: UnsafePointer<Int64>?, _ rank: Int, _ outputs: UInt32,
  _ stages: UnsafePointer<Int32>?, _ stageCount: Int, _ threads: Int32,
  _ session: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  CallFailure.report(error) {
    guard let session else { throw CallFailure.usage("session is NULL") }
    session.pointee = nil
    guard let object = Handle.object(model, as: ModelObject.self) else {
      throw CallFailure.usage("model is NULL")
    }
    guard let shape, (3...4).contains(rank) else {
      throw CallFailure.usage("shape is NULL or rank \(rank) is not 3 or 4")
    }
    guard stageCount == 0 || (stages != nil && (1...64).contains(stageCount)) else {
      throw CallFailure.usage("stages is NULL or stage_count \(stageCount) is not 0 to 64")
    }
    guard outputs & ~UInt32(SWT_POOLED | SWT_LOGITS) == 0 else {
      throw CallFailure.usage("outputs \(outputs) has unknown bits")
    }
    let wanted = UnsafeBufferPointer(start: stages, count: stages == nil ? 0 : stageCount)
    let made = try object.model.makeSession(
      inputShape: UnsafeBufferPointer(start: shape, count: rank).map { Int($0) },
      outputs: SessionOutputs(
        stages: Set(wanted.map { Int($0) }), pooled: outputs & UInt32(SWT_POOLED) != 0,
        logits: outputs & UInt32(SWT_LOGITS) != 0),
      threads: threads == 0 ? nil : Int(threads))
    session.pointee = Handle.make(SessionObject(object, made))
  }
}

/// `swt_session_close`: see `swt.h`.
@_cdecl("swt_session_close")
public func swtSessionClose(_ session: UnsafeMutablePointer<OpaquePointer?>?) {
  Handle.close(session)
}

/// `swt_session_run`: see `swt.h`.
@_cdecl("swt_session_run")
public func swtSessionRun(
  _ session: OpaquePointer?, _ input: UnsafePointer<Float>?, _ strides: UnsafePointer<Int64>?,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  CallFailure.report(error) {
    let object = try sessionObject(session)
    guard let input else { throw CallFailure.usage("input is NULL") }
    let shape = object.session.inputShape
    let count = shape.reduce(1, *)
    guard let strides else {
      return try object.session.run(UnsafeBufferPointer(start: input, count: count))
    }
    if object.gathered.isEmpty { object.gathered = [Float](repeating: 0, count: count) }
    var index = [Int](repeating: 0, count: shape.count)
    var position = 0
    for element in 0..<count {
      object.gathered[element] = input[position]
      for axis in shape.indices.reversed() {
        index[axis] += 1
        position += Int(strides[axis])
        if index[axis] < shape[axis] { break }
        position -= Int(strides[axis]) * shape[axis]
        index[axis] = 0
      }
    }
    try object.session.run(object.gathered)
  }
}

/// `swt_session_pooled`: see `swt.h`.
@_cdecl("swt_session_pooled")
public func swtSessionPooled(
  _ session: OpaquePointer?, _ values: UnsafeMutablePointer<Float>?, _ count: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  CallFailure.report(error) {
    try copy(try sessionObject(session).session.pooled, "pooled features", to: values, count)
  }
}

/// `swt_session_logits`: see `swt.h`.
@_cdecl("swt_session_logits")
public func swtSessionLogits(
  _ session: OpaquePointer?, _ values: UnsafeMutablePointer<Float>?, _ count: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  CallFailure.report(error) {
    try copy(try sessionObject(session).session.logits, "logits", to: values, count)
  }
}

/// `swt_session_stage_shape`: see `swt.h`.
@_cdecl("swt_session_stage_shape")
public func swtSessionStageShape(
  _ session: OpaquePointer?, _ stage: Int32, _ shape: UnsafeMutablePointer<Int64>?, _ rank: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  CallFailure.report(error) {
    let sizes = try sessionObject(session).session.features(ofStage: Int(stage))?.shape
    guard let sizes else { throw CallFailure.usage("stage \(stage) was not asked for") }
    guard let shape, rank == sizes.count else {
      throw CallFailure.usage("shape is NULL or rank \(rank) is not \(sizes.count)")
    }
    for (index, size) in sizes.enumerated() { shape[index] = Int64(size) }
  }
}

/// `swt_session_stage`: see `swt.h`.
@_cdecl("swt_session_stage")
public func swtSessionStage(
  _ session: OpaquePointer?, _ stage: Int32, _ values: UnsafeMutablePointer<Float>?, _ count: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  CallFailure.report(error) {
    let features = try sessionObject(session).session.features(ofStage: Int(stage))
    try copy(features?.values, "stage \(stage)", to: values, count)
  }
}

private func sessionObject(_ session: OpaquePointer?) throws -> SessionObject {
  guard let object = Handle.object(session, as: SessionObject.self) else {
    throw CallFailure.usage("session is NULL")
  }
  return object
}

/// Copies a result to where the caller wants it.
func copy(
  _ result: [Float]?, _ name: String, to values: UnsafeMutablePointer<Float>?, _ count: Int
) throws {
  guard let result else { throw CallFailure.usage("\(name): not asked for") }
  guard let values, count == result.count else {
    throw CallFailure.usage("\(name): values is NULL or count \(count) is not \(result.count)")
  }
  values.update(from: result, count: count)
}
