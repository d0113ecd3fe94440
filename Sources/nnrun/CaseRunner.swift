// SPDX-License-Identifier: Apache-2.0
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
    /// The entry of the list that it belongs to.
    let entry: CaseList.Entry
    /// What it was made from, where that could be read.
    let identity: CaseIdentity?
    /// Whether it came in an array of several.
    let isOfBatch: Bool
    /// What a person should look at.
    let warnings: [String]
    /// How long it took.
    let seconds: Double
    let result: Result<EncoderOutput, any Error>
  }

  /// What a person should know before it is taken.
  private static let largeByteCount = 2_000_000_000

  /// One, or as many as there are jobs.
  let pipelines: [EncoderPipeline]
  let reporter: Reporter
  let interruption: Interruption
  /// Reads the cases that stdin names.
  let lines: CaseLines

  /// What runs cases one after the other.
  var pipeline: EncoderPipeline { pipelines[0] }

  /// Whether a case's results are there already; asks for what the case is made from only where there are
  /// some.
  typealias IsDone = (CaseList.Entry, () -> CaseIdentity?) throws -> Bool

  /// Runs the cases of `list`, or those that stdin names, and hands out their outcomes as they come.
  ///
  /// - Parameters:
  ///   - isDone: whether a case need not be run.
  ///   - accepting: throws where a case's results cannot be taken; the case fails then.
  ///   - finish: called in the end, also where cases failed or the user stopped the run; tells how to go
  ///     on then.
  /// - Throws: the error of an only case; `CasesFailed` where one of several failed.
  func run(
    _ list: CaseList?, isDone: IsDone = { _, _ in false },
    accepting: (_ name: String) throws -> Void = { _ in },
    take: (Outcome) throws -> Void, finish: (_ isInterrupted: Bool) throws -> Void
  ) throws {
    var progress = CaseProgress(count: list?.entries.count, reporter)
    var (total, failed) = (0, 0)
    var isInterrupted = false
    func deliver(_ outcome: Outcome) throws {
      if case .failure(let error) = outcome.result {
        let kind = CommandLineTool.kind(of: error)
        guard kind != .interrupted else {
          isInterrupted = true
          return
        }
        guard list?.isSingle != true, ![.usage, .internalError].contains(kind) else {
          throw error
        }
        failed += 1
        reporter.report(error, about: "case \(DisplayText.quoted(outcome.name))")
      }
      total += 1
      try take(outcome)
    }
    if pipelines.count > 1, let list, !list.isArrays {
      try runSideBySide(list, &progress, isDone: isDone, deliver)
    } else {
      let ahead = CaseAhead(list?.entries ?? [], reader: pipeline.reader)
      for entry in CaseSequence(list: list, cases: lines, interruption: interruption) {
        guard !interruption.hasCome else { break }
        // What cannot be read is told when it is run.
        let identity = BackgroundWork("identity") { try? CaseIdentity(of: entry) }
        if try !isDone(entry, { identity.value }) {
          try forEachCase(of: entry, ahead) { name, isOfBatch, run in
            guard !isInterrupted else { return }
            let start = ContinuousClock.now
            var warnings: [String] = []
            progress.show(window: 0, of: 1)
            let result = Result {
              let output = try run(&warnings) { progress.show(window: $0, of: $1) }
              try accepting(name)
              return output
            }
            try deliver(
              Outcome(
                name: name, entry: entry, identity: identity.value, isOfBatch: isOfBatch,
                warnings: warnings, seconds: (ContinuousClock.now - start) / .seconds(1),
                result: result))
          }
        }
        progress.finishEntry()
      }
    }
    reporter.clearProgress()
    pipelines.tellOrientations(reporter)
    isInterrupted = interruption.hasCome
    try finish(isInterrupted)
    if isInterrupted { interruption.die() }
    guard failed == 0 else { throw CasesFailed(failed: failed, total: total) }
  }

  /// Runs the scans of a list, several at once, and hands them out in the list's order.
  private func runSideBySide(
    _ list: CaseList, _ progress: inout CaseProgress,
    isDone: IsDone, _ deliver: (Outcome) throws -> Void
  ) throws {
    var left: [(entry: CaseList.Entry, identity: CaseIdentity?)] = []
    for entry in list.entries {
      let identity = try? CaseIdentity(of: entry)
      if try isDone(entry, { identity }) {
        progress.finishEntry()
      } else {
        left.append((entry, identity))
      }
    }
    let team = SideBySide(pipelines: pipelines, interruption: interruption)
    for start in stride(from: 0, to: left.count, by: team.batchSize) {
      guard !interruption.hasCome else { return }
      let batch = left[start..<min(start + team.batchSize, left.count)]
      progress.show(window: 0, of: 1)
      for (found, finished) in zip(batch, team.run(batch.map(\.entry))) {
        finished.warnings.forEach(reporter.warn)
        try deliver(
          Outcome(
            name: found.entry.name, entry: found.entry, identity: found.identity,
            isOfBatch: false, warnings: finished.warnings, seconds: finished.seconds,
            result: finished.result))
        progress.finishEntry()
      }
    }
  }

  /// Runs a case; gives what a person should look at, as soon as it is known.
  private typealias Run = (
    _ warnings: inout [String], _ progress: (Int, Int) -> Void
  ) throws -> EncoderOutput

  /// Calls `body` with every case that an entry holds.
  private func forEachCase(
    of entry: CaseList.Entry, _ ahead: CaseAhead,
    _ body: (_ name: String, _ isOfBatch: Bool, Run) throws -> Void
  ) throws {
    switch entry.source {
    case .unusable(let error): try body(entry.name, false) { _, _ in throw error }
    case .scan, .dicom:
      try body(entry.name, false) { warnings, progress in
        let tell = { (done: Int, count: Int) throws(PipelineError) in
          progress(done, count)
          if interruption.hasCome, done < count { throw PipelineError(.cancelled) }
        }
        if let ready = ahead.take(entry) {
          warnings = ready.warnings
          warnings.forEach(reporter.warn)
          let estimate = try pipeline.estimate(ready)
          tellSize(estimate)
          ahead.prepare(after: entry, held: estimate.peakByteCount)
          return try pipeline.run(ready, progress: tell)
        }
        let scan = try pipeline.readTelling(entry, reporter)
        warnings = scan.warnings
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
        return try body(entry.name, false) { _, _ in throw error }
      }
      let held = array.values.count * MemoryLayout<Float>.stride
      guard array.shape.count == dimension + 2 else {
        return try body(entry.name, false) { _, _ in
          try pipeline.run(array: array.values[...], shape: array.shape, held: held)
        }
      }
      let shape = Array(array.shape.dropFirst())
      let size = shape.reduce(1, *)
      for index in 0..<array.shape[0] {
        try body("\(entry.name)[\(index)]", true) { _, _ in
          guard !interruption.hasCome else { throw PipelineError(.cancelled) }
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
  func tellOrientations(_ reporter: Reporter) { [self].tellOrientations(reporter) }
}

extension [EncoderPipeline] {
  /// Tells once, in the end, where the scans of all do not lie as they should.
  func tellOrientations(_ reporter: Reporter) {
    guard var orientations = first?.orientations else { return }
    for other in dropFirst() { orientations.add(other.orientations) }
    reporter.tell(
      orientations,
      isTrained: first?.model.description.preprocessing.trainedOrientation != nil)
  }
}

extension Reporter {
  /// Tells where scans do not lie as they should.
  func tell(_ orientations: OrientationTally, isTrained: Bool) {
    guard let warning = orientations.warning else { return }
    warn("\(warning)\(isTrained ? " — --reorient turns them" : "")")
  }
}
