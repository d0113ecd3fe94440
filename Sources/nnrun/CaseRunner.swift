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
    /// Whether it came in an array of several.
    let isOfBatch: Bool
    let result: Result<EncoderOutput, any Error>
  }

  /// What a person should know before it is taken.
  private static let largeByteCount = 2_000_000_000

  let pipeline: EncoderPipeline
  /// Cases that are left out, since their results are there.
  var done: Set<String> = []

  /// Runs the entries and hands out their outcomes as they come.
  ///
  /// - Parameter count: how many entries there are, where that is known. The error of an only case
  ///   is thrown.
  /// - Throws: `CasesFailed` at the end, where a case failed.
  func run(
    _ entries: some Sequence<CaseList.Entry>, count: Int?, _ body: (Outcome) throws -> Void
  ) throws {
    var progress = CaseProgress(count: count)
    var total = 0
    var failed = 0
    for entry in entries {
      try forEachCase(of: entry) { name, isOfBatch, run in
        guard !done.contains(name) else { return }
        total += 1
        progress.begin()
        let result = Result {
          try run { done, of in progress.show(window: done, of: of) }
        }
        progress.clear()
        if case .failure(let error) = result {
          let isFatal = [.usage, .internalError].contains(CommandLineTool.kind(of: error))
          guard count != 1, !isFatal else { throw error }
          failed += 1
          NNRun.tool.report(error, about: "case \(DisplayText.quoted(name))")
        }
        try body(Outcome(name: name, isOfBatch: isOfBatch, result: result))
      }
      progress.finishEntry()
    }
    guard failed == 0 else { throw CasesFailed(failed: failed, total: total) }
  }

  /// Runs the cases of `list`, or those that stdin names; `finish` is called in the end, also where
  /// cases failed.
  func runAll(
    _ list: CaseList?, _ body: (Outcome) throws -> Void, finish: () throws -> Void
  ) throws {
    let input = StandardInputCases()
    do {
      if let list {
        try run(list.entries, count: list.entries.count, body)
      } else {
        try run(input, count: nil, body)
      }
    } catch let error as CasesFailed {
      try finish()
      throw error
    }
    try finish()
    if let failure = input.failure { throw failure }
  }

  private typealias Run = (_ progress: (Int, Int) -> Void) throws -> EncoderOutput

  /// Calls `body` with every case that an entry holds.
  private func forEachCase(
    of entry: CaseList.Entry, _ body: (_ name: String, _ isOfBatch: Bool, Run) throws -> Void
  ) throws {
    switch entry.source {
    case .scan(let files):
      try body(entry.name, false) { progress in
        try pipeline.run(preparedScan(files), progress: progress)
      }
    case .array(let path):
      let dimension = pipeline.model.description.architecture.dimension
      let array: NPYArray
      do {
        array = try NPYArray(contentsOf: path)
        guard (dimension + 1...dimension + 2).contains(array.shape.count) else {
          throw InputError.rank(path: path, shape: array.shape, dimension: dimension)
        }
      } catch {
        return try body(entry.name, false) { _ in throw error }
      }
      guard array.shape.count == dimension + 2 else {
        return try body(entry.name, false) { _ in
          try pipeline.run(array: array.values[...], shape: array.shape)
        }
      }
      let shape = Array(array.shape.dropFirst())
      let size = shape.reduce(1, *)
      for index in 0..<array.shape[0] {
        try body("\(entry.name)[\(index)]", true) { _ in
          try pipeline.run(
            array: array.values[index * size..<(index + 1) * size], shape: shape)
        }
      }
    }
  }

  private func preparedScan(_ files: [String]) throws -> PreparedImage {
    var scan = try pipeline.readTelling(files)
    let plan = try pipeline.plan(scan.channels)
    try pipeline.checkMemory(plan)
    if plan.policy == .whole, plan.peakByteCount > Self.largeByteCount {
      NNRun.tool.note(
        "a whole image of \(plan.framing.windowShape) takes "
          + "\(ByteCount.text(plan.peakByteCount)); --input-policy sliding-window takes less")
    }
    return try pipeline.prepare(scan.takeChannels(), geometry: plan.geometry)
  }
}

/// Some of several cases failed; why has been said.
struct CasesFailed: Failure {
  let failed: Int
  let total: Int

  var kind: FailureKind { .someFailed }
  var report: FailureReport { "\(failed) of \(total) cases failed" }
  var description: String { message() }
}

extension EncoderPipeline {
  /// Reads a case and writes what a person should look at to stderr.
  func readTelling(_ files: [String]) throws -> Scan {
    let scan = try read(files: files)
    for warning in scan.warnings { NNRun.tool.warn("\(warning)") }
    return scan
  }
}
