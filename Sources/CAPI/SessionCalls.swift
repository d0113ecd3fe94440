// SPDX-License-Identifier: Apache-2.0
public import CSWT
internal import FileIO
internal import Pipeline
internal import SWTFormat
internal import SWTRuntime

/// What a `swt_session` is.
final class SessionObject: ExclusiveObject {
  let model: ModelObject
  let session: Session
  /// Values of strided inputs in row-major order; empty until one comes.
  private var gathered: [Float] = []
  private var hasRun = false

  init(_ model: ModelObject, _ session: Session) {
    self.model = model
    self.session = session
  }

  func run(_ input: UnsafePointer<Float>?, _ strides: UnsafePointer<Int64>?) throws {
    let shape = session.inputShape
    let count = shape.reduce(1, *)
    // Of an axis of one, the step does not matter; numpy puts anything there.
    let steps = try strides.map {
      zip(shape, try Argument.pointer($0, count: shape.count, "strides"))
        .map { size, step in size == 1 ? 0 : Int(step) }
    }
    guard let steps, !Self.areRowMajor(steps, shape: shape) else {
      let input = try Argument.pointer(input, count: count, "input")
      hasRun = false
      try session.run(input)
      hasRun = true
      return
    }
    let input = try Argument.pointer(input, "input")
    guard let start = input.baseAddress, Self.stays(start, shape: shape, steps: steps) else {
      throw CallFailure.usage("strides \(steps) with shape \(shape) leave the address space")
    }
    if gathered.isEmpty { gathered = [Float](repeating: 0, count: count) }
    var index = [Int](repeating: 0, count: shape.count)
    var position = 0
    for element in 0..<count {
      gathered[element] = start[position]
      for axis in shape.indices.reversed() {
        index[axis] += 1
        position += steps[axis]
        if index[axis] < shape[axis] { break }
        position -= steps[axis] * shape[axis]
        index[axis] = 0
      }
    }
    hasRun = false
    try session.run(gathered)
    hasRun = true
  }

  private static func areRowMajor(_ steps: [Int], shape: [Int]) -> Bool {
    var expected = 1
    for (size, step) in zip(shape, steps).reversed() {
      guard step == expected || size == 1 else { return false }
      expected *= size
    }
    return true
  }

  /// Whether every element has an address, on either side of the first one.
  private static func stays(_ start: UnsafePointer<Float>, shape: [Int], steps: [Int]) -> Bool {
    var ends = (below: 0, above: MemoryLayout<Float>.stride)
    for (size, step) in zip(shape, steps) {
      // A whole row is stepped over before going back, so it counts with one step more.
      let (reach, tooFar) = step.multipliedReportingOverflow(by: size * MemoryLayout<Float>.stride)
      let (end, overflow) = (reach < 0 ? ends.below : ends.above).addingReportingOverflow(reach)
      guard !tooFar, !overflow else { return false }
      if reach < 0 { ends.below = end } else { ends.above = end }
    }
    let address = UInt(bitPattern: start)
    return ends.below.magnitude <= address
      && !address.addingReportingOverflow(UInt(ends.above)).overflow
  }

  /// Copies a result of the last run to where the caller wants it.
  func copy(
    _ result: [Float]?, _ name: String, to values: UnsafeMutablePointer<Float>?, _ count: Int
  ) throws {
    guard let result else { throw CallFailure.usage("\(name): not asked for") }
    guard hasRun else { throw CallFailure.usage("\(name): the session has not run yet") }
    guard count == result.count else {
      throw CallFailure.usage("\(name): count \(count) is not \(result.count)")
    }
    _ = try Argument.pointer(values, count: count, name).update(from: result)
  }

  /// Copies a map that a run gave straight from the session's memory.
  ///
  /// - Parameter lend: lends it with its shape; returns `nil` where it was not asked for.
  func copyMap(
    _ name: String, to values: UnsafeMutablePointer<Float>?, _ count: Int,
    lend: (_ body: ([Int], UnsafeBufferPointer<Float>) throws -> Void) throws -> Void?
  ) throws {
    let isThere: Void? = try lend { shape, map in
      guard hasRun else { throw CallFailure.usage("\(name): the session has not run yet") }
      let expected = shape.reduce(1, *)
      guard count == expected else {
        throw CallFailure.usage("\(name): count \(count) is not \(expected)")
      }
      _ = try Argument.pointer(values, count: count, name).update(from: map)
    }
    guard isThere != nil else { throw CallFailure.usage("\(name): not asked for") }
  }

  /// Tells the shape of a map; `nil` where it was not asked for.
  func tell(
    _ sizes: [Int]?, _ name: String, to shape: UnsafeMutablePointer<Int64>?, _ rank: Int
  ) throws {
    guard let sizes else { throw CallFailure.usage("\(name): not asked for") }
    guard rank == sizes.count else { throw CallFailure.usage("rank \(rank) is not \(sizes.count)") }
    let target = try Argument.pointer(shape, count: rank, "shape")
    for (index, size) in sizes.enumerated() { target[index] = Int64(size) }
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
    let place = try Argument.handle(session, "session")
    let object = try HandleTable.shared.object(model, "model", as: ModelObject.self)
    guard (3...4).contains(rank) else { throw CallFailure.usage("rank \(rank) is not 3 or 4") }
    guard (0...64).contains(stageCount) else {
      throw CallFailure.usage("stage_count \(stageCount) is not 0 to 64")
    }
    guard outputs & ~UInt32(SWT_POOLED | SWT_LOGITS | SWT_SEGMENTATION) == 0 else {
      throw CallFailure.usage("outputs \(outputs) has unknown bits")
    }
    guard outputs != 0 || stageCount > 0 else {
      throw CallFailure.usage("neither outputs nor stages ask for anything")
    }
    let wanted =
      try stageCount == 0
      ? [] : Argument.pointer(stages, count: stageCount, "stages").map { Int($0) }
    let program = try object.model.program(
      inputShape: Argument.pointer(shape, count: rank, "shape").map { Int($0) },
      outputs: SessionOutputs(
        stages: Set(wanted), pooled: outputs & UInt32(SWT_POOLED) != 0,
        logits: outputs & UInt32(SWT_LOGITS) != 0,
        segmentation: outputs & UInt32(SWT_SEGMENTATION) != 0),
      threads: Argument.threads(threads))
    // With room for a strided input, whose values are gathered.
    try checkMemory(program.byteCount + 4 * program.inputShape.reduce(1, *))
    place[0] = try HandleTable.shared.insert(SessionObject(object, try Session(program)))
  }
}

/// `swt_session_close`: see `swt.h`.
@_cdecl("swt_session_close")
public func swtSessionClose(_ session: UnsafeMutablePointer<OpaquePointer?>?) -> swt_status {
  close(session, "session", as: SessionObject.self)
}

/// `swt_session_run`: see `swt.h`.
@_cdecl("swt_session_run")
public func swtSessionRun(
  _ session: OpaquePointer?, _ input: UnsafePointer<Float>?, _ strides: UnsafePointer<Int64>?,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(session, error) { try $0.run(input, strides) }
}

/// `swt_session_pooled`: see `swt.h`.
@_cdecl("swt_session_pooled")
public func swtSessionPooled(
  _ session: OpaquePointer?, _ values: UnsafeMutablePointer<Float>?, _ count: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(session, error) { try $0.copy($0.session.pooled, "pooled features", to: values, count) }
}

/// `swt_session_logits`: see `swt.h`.
@_cdecl("swt_session_logits")
public func swtSessionLogits(
  _ session: OpaquePointer?, _ values: UnsafeMutablePointer<Float>?, _ count: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(session, error) { try $0.copy($0.session.logits, "logits", to: values, count) }
}

/// `swt_session_stage_shape`: see `swt.h`.
@_cdecl("swt_session_stage_shape")
public func swtSessionStageShape(
  _ session: OpaquePointer?, _ stage: Int32, _ shape: UnsafeMutablePointer<Int64>?, _ rank: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(session, error) {
    try $0.tell($0.session.shape(ofStage: Int(stage)), "stage \(stage)", to: shape, rank)
  }
}

/// `swt_session_stage`: see `swt.h`.
@_cdecl("swt_session_stage")
public func swtSessionStage(
  _ session: OpaquePointer?, _ stage: Int32, _ values: UnsafeMutablePointer<Float>?, _ count: Int,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  call(session, error) { object in
    try object.copyMap("stage \(stage)", to: values, count) {
      try object.session.withFeatures(ofStage: Int(stage), $0)
    }
  }
}

func call(
  _ session: OpaquePointer?, _ error: UnsafeMutablePointer<swt_error>?,
  _ body: (SessionObject) throws -> Void
) -> swt_status {
  CallFailure.report(error) {
    try HandleTable.shared.use(session, "session", as: SessionObject.self, body)
  }
}

/// Refuses what would need more memory than there is, which no allocation would survive.
func checkMemory(_ byteCount: Int) throws {
  guard let available = MemoryBudget.available, byteCount > available else { return }
  throw CallFailure(
    kind: .memory,
    report: FailureReport(
      "\(ByteCount.text(byteCount)) of memory are needed where \(ByteCount.text(available)) is "
        + "available"))
}
