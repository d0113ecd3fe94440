// SPDX-License-Identifier: Apache-2.0
import CaseCommands
import CommandLineInterface
import Pipeline
import Preprocessing
import SWTFormat
import SWTRuntime

/// The pipelines that a case goes through: one, or a cascade's two.
struct SegmentationStages {
  /// The low-resolution one of a cascade.
  let first: SegmentationPipeline?
  let last: SegmentationPipeline

  /// How many there are.
  var count: Int { first == nil ? 1 : 2 }

  /// - Parameter options: of the last stage; nnU-Net gives the first one nothing but mirroring, steps and
  ///   folds.
  init(
    _ models: [Model], options: SegmentationOptions, cases: CaseArguments, threads: Int?,
    _ reporter: Reporter
  ) throws {
    func pipeline(
      _ model: Model, _ options: SegmentationOptions
    ) throws -> SegmentationPipeline {
      if options.folds == nil { cases.tellFolds(of: model, reporter) }
      return try SegmentationPipeline(
        model: model, options: options, threads: threads, memoryLimit: cases.memory.maxMemory,
        turningTo: try cases.orientation(for: model))
    }
    last = try pipeline(models[models.count - 1], options)
    first =
      try models.count > 1
      ? pipeline(
        models[0],
        SegmentationOptions(
          mirroring: options.mirroring, stepSize: options.stepSize, folds: options.folds)) : nil
    guard first == nil || (last.takesPrevious && first?.takesPrevious == false) else {
      throw InputError.cascade(
        "two models are a cascade's two stages: the second takes what the first makes")
    }
  }

  /// What is known of a scan before it is run.
  struct SeenScan {
    let warnings: [String]
    let place: ScanGeometry?
    /// Its first channel; `nil` where it was prepared ahead.
    let channel: Volume?
    /// Bytes that segmenting it takes, without what the caller holds.
    let peakByteCount: Int
  }

  /// Segments a case.
  ///
  /// - Parameters:
  ///   - ready: the case, where it was prepared ahead.
  ///   - previous: what the first stage made, where that is not run here.
  ///   - ahead: what prepares the next case meanwhile.
  ///   - noting: given the scan before it is run; says how many bytes the caller holds meanwhile.
  ///   - progress: told the stage, and how many runs of its network are done, of how many.
  func run(
    _ entry: CaseList.Entry, ready: PreparedCase?, previous: String?, ahead: CaseAhead,
    noting: (SeenScan) throws -> Int,
    progress: (_ stage: Int, _ done: Int, _ count: Int) throws(PipelineError) -> Void
  ) throws -> Segmentation {
    last.heldByteCount = 0
    if let ready {
      let peak = try last.estimate(ready.image.geometry).peakByteCount
      last.heldByteCount = try noting(
        SeenScan(
          warnings: ready.warnings, place: ready.place, channel: nil, peakByteCount: peak))
      ahead.prepare(after: entry, held: peak + last.heldByteCount)
      return try last.run(ready) { (done, count) throws(PipelineError) in
        try progress(0, done, count)
      }
    }
    var stage: Volume?
    if let previous { stage = try last.readPrevious(file: previous) }
    if let first {
      let scan = try first.reader.read(entry)
      let result = try first.run(scan) { (done, count) throws(PipelineError) in
        try progress(0, done, count)
      }
      stage = try result.volume()
    }
    let scan = try last.reader.read(entry)
    let peak = try last.estimate(scan).peakByteCount
    last.heldByteCount = try noting(
      SeenScan(
        warnings: scan.warnings, place: scan.place, channel: scan.channels.first,
        peakByteCount: peak))
    // A second stage waits for the first one's result.
    if stage == nil { ahead.prepare(after: entry, held: peak + last.heldByteCount) }
    return try last.run(scan, previous: stage) { (done, count) throws(PipelineError) in
      try progress(first == nil ? 0 : 1, done, count)
    }
  }
}
