import CommandLineInterface
import FileIO
import NPY
import Pipeline
import Preprocessing
import SWTFormat
import SWTRuntime

/// Runs cases one after the other, goes on after a bad one, and tells how far it is.
struct CaseRunner {
  /// What became of a case.
  struct Outcome {
    let name: String
    /// What it was made from, where that could be read.
    let identity: CaseIdentity?
    /// Whether it came in an array of several.
    let isOfBatch: Bool
    let result: Result<EncoderOutput, any Error>
  }

  /// What a person should know before it is taken.
  private static let largeByteCount = 2_000_000_000

  let pipeline: EncoderPipeline
  let reporter: Reporter
  let interruption: Interruption

  /// Runs the cases of `list`, or those that stdin names, and hands out their outcomes as they come.
  ///
  /// - Parameters:
  ///   - isDone: whether a case's results are there already.
  ///   - accepting: throws where a case's results cannot be taken; the case fails then.
  ///   - finish: called in the end, also where cases failed or the user stopped the run; tells how to go
  ///     on then.
  /// - Throws: the error of an only case; `CasesFailed` where one of several failed.
  func run(
    _ list: CaseList?, isDone: (CaseList.Entry, CaseIdentity?) throws -> Bool = { _, _ in false },
    accepting: (_ name: String) throws -> Void = { _ in },
    take: (Outcome) throws -> Void, finish: (_ isInterrupted: Bool) throws -> Void
  ) throws {
    var progress = CaseProgress(count: list?.entries.count, reporter)
    var total = 0
    var failed = 0
    var isInterrupted = false
    let ahead = CaseAhead(list?.entries ?? [], reader: pipeline.reader)
    for entry in CaseSequence(list: list, interruption: interruption) {
      guard !interruption.hasCome else { break }
      // What cannot be read is told when it is run.
      let identity = try? CaseIdentity(of: entry)
      if try !isDone(entry, identity) {
        try forEachCase(of: entry, ahead) { name, isOfBatch, run in
          guard !isInterrupted else { return }
          total += 1
          progress.show(window: 0, of: 1)
          let result = Result {
            let output = try run { progress.show(window: $0, of: $1) }
            try accepting(name)
            return output
          }
          if case .failure(let error) = result {
            let kind = CommandLineTool.kind(of: error)
            guard kind != .interrupted else {
              isInterrupted = true
              return
            }
            guard list?.isSingle != true, ![.usage, .internalError].contains(kind) else {
              throw error
            }
            failed += 1
            reporter.report(error, about: "case \(DisplayText.quoted(name))")
          }
          try take(
            Outcome(name: name, identity: identity, isOfBatch: isOfBatch, result: result))
        }
      }
      progress.finishEntry()
    }
    reporter.clearProgress()
    pipeline.tellOrientations(reporter)
    isInterrupted = interruption.hasCome
    try finish(isInterrupted)
    if isInterrupted { interruption.die() }
    guard failed == 0 else { throw CasesFailed(failed: failed, total: total) }
  }

  private typealias Run = (_ progress: (Int, Int) -> Void) throws -> EncoderOutput

  /// Calls `body` with every case that an entry holds.
  private func forEachCase(
    of entry: CaseList.Entry, _ ahead: CaseAhead,
    _ body: (_ name: String, _ isOfBatch: Bool, Run) throws -> Void
  ) throws {
    switch entry.source {
    case .unusable(let error): try body(entry.name, false) { _ in throw error }
    case .scan, .dicom:
      try body(entry.name, false) { progress in
        let tell = { (done: Int, count: Int) throws(PipelineError) in
          progress(done, count)
          if interruption.hasCome, done < count { throw .cancelled }
        }
        if let ready = ahead.take(entry) {
          ready.warnings.forEach(reporter.warn)
          let estimate = try pipeline.estimate(ready)
          tellSize(estimate)
          ahead.prepare(after: entry, held: estimate.peakByteCount)
          return try pipeline.run(ready, progress: tell)
        }
        let scan = try pipeline.readTelling(entry, reporter)
        let estimate = try pipeline.estimate(scan)
        tellSize(estimate)
        ahead.prepare(after: entry, held: estimate.peakByteCount)
        return try pipeline.run(scan, progress: tell)
      }
    case .array(let path):
      let dimension = pipeline.model.description.architecture.dimension
      let array: NPYArray
      do {
        try pipeline.checkArray(byteCount: NPYArray.readByteCount(ofFileAt: path))
        array = try NPYArray(contentsOf: path)
        guard (dimension + 1...dimension + 2).contains(array.shape.count) else {
          throw InputError.rank(path: path, shape: array.shape, dimension: dimension)
        }
      } catch {
        return try body(entry.name, false) { _ in throw error }
      }
      let held = array.values.count * MemoryLayout<Float>.stride
      guard array.shape.count == dimension + 2 else {
        return try body(entry.name, false) { _ in
          try pipeline.run(array: array.values[...], shape: array.shape, held: held)
        }
      }
      let shape = Array(array.shape.dropFirst())
      let size = shape.reduce(1, *)
      for index in 0..<array.shape[0] {
        try body("\(entry.name)[\(index)]", true) { _ in
          guard !interruption.hasCome else { throw PipelineError.cancelled }
          return try pipeline.run(
            array: array.values[index * size..<(index + 1) * size], shape: shape, held: held)
        }
      }
    }
  }

  private func tellSize(_ estimate: CaseEstimate) {
    guard estimate.policy == .whole, estimate.peakByteCount > Self.largeByteCount else { return }
    reporter.note(
      "a whole image of \(estimate.framing.windowShape) takes "
        + "\(ByteCount.text(estimate.peakByteCount)); --input-policy sliding-window takes less")
  }
}

/// Some of several cases failed; why has been said.
struct CasesFailed: Failure {
  let failed: Int
  let total: Int

  var kind: FailureKind { .someFailed }
  var report: FailureReport {
    total == 1 ? "the only case failed" : "\(failed) of \(total) cases failed"
  }
  var description: String { message() }
}

extension EncoderPipeline {
  /// Reads a case and tells what a person should look at.
  func readTelling(_ entry: CaseList.Entry, _ reporter: Reporter) throws -> Case {
    let scan = try read(entry)
    scan.warnings.forEach(reporter.warn)
    return scan
  }

  /// Tells once, in the end, where scans do not lie as they should.
  func tellOrientations(_ reporter: Reporter) {
    reporter.tell(
      orientations, isTrained: model.description.preprocessing.trainedOrientation != nil)
  }
}

extension Reporter {
  /// Tells where scans do not lie as they should.
  func tell(_ orientations: OrientationTally, isTrained: Bool) {
    guard let warning = orientations.warning else { return }
    warn("\(warning)\(isTrained ? " — --reorient turns them" : "")")
  }
}
