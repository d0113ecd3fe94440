// SPDX-License-Identifier: Apache-2.0
import CommandLineInterface
import FileIO
import Pipeline
import Preprocessing
import Report
import SWTFormat
import SWTRuntime

/// Segments cases one after the other, goes on after a bad one, and tells how far it is.
struct SegmentationRunner {
  let stages: SegmentationStages
  let outputs: SegmentationOutputs
  let previous: PreviousSegmentations?
  let savesProbabilities: Bool
  /// A picture of the only case.
  let preview: String?
  let skipsDone: Bool
  let reporter: Reporter
  let interruption: Interruption

  /// - Throws: the error of an only case; `CasesFailed` where one of several failed.
  func run(_ list: CaseList) throws {
    var progress = CaseProgress(count: list.entries.count, reporter)
    let trained = stages.last.model.description.preprocessing.trainedOrientation
    var orientations = OrientationTally(trained: trained)
    let ahead = CaseAhead(list.entries, reader: stages.last.reader)
    let export = SegmentationExport(
      outputs, savesProbabilities: savesProbabilities, modelID: stages.last.model.modelID)
    // A file that is being written is not left half done.
    defer { _ = export.take() }
    var failed = 0
    func fail(_ entry: CaseList.Entry, _ error: any Error) throws {
      guard list.entries.count > 1,
        ![.usage, .internalError].contains(CommandLineTool.kind(of: error))
      else { throw error }
      failed += 1
      reporter.report(error, about: "case \(DisplayText.quoted(entry.name))")
      try StandardOutput.writeLine(failure(entry, error).lineText)
    }
    func deliver(_ outcome: SegmentationExport.Outcome?) throws {
      guard let outcome else { return }
      reporter.clearProgress()
      switch outcome.line {
      case .success(let line): try StandardOutput.writeLine(line.lineText)
      case .failure(let error): try fail(outcome.entry, error)
      }
    }
    for entry in list.entries {
      guard !interruption.hasCome else { break }
      defer { progress.finishEntry() }
      if skipsDone, isDone(entry.name) { continue }
      let start = ContinuousClock.now
      let result = Result {
        try segment(entry, ahead, export, progress, &orientations, deliver)
      }
      try deliver(export.take())
      switch result {
      case .success(let segmentation):
        // The next case's network has the other half of the threads.
        let isLast = entry.name == list.entries.last?.name
        export.begin(
          entry, segmentation, seconds: (ContinuousClock.now - start) / .seconds(1),
          threads: isLast ? stages.last.threads : max(1, stages.last.threads / 2))
      case .failure(let error):
        if CommandLineTool.kind(of: error) == .interrupted { break }
        try fail(entry, error)
      }
    }
    try deliver(export.take())
    reporter.clearProgress()
    reporter.tell(orientations, isTrained: trained != nil)
    if interruption.hasCome {
      reporter.warn("interrupted — go on with --skip-done")
      interruption.die()
    }
    guard failed == 0 else { throw CasesFailed(failed: failed, total: list.entries.count) }
  }

  private func isDone(_ name: String) -> Bool {
    let files =
      [outputs.labels(of: name)] + (savesProbabilities ? [outputs.probabilities(of: name)] : [])
    return files.allSatisfy { MappedFile.identity(ofFileAt: $0) != nil }
  }

  /// - Parameter deliver: takes the case before, once it is written.
  private func segment(
    _ entry: CaseList.Entry, _ ahead: CaseAhead, _ export: SegmentationExport,
    _ progress: CaseProgress, _ orientations: inout OrientationTally,
    _ deliver: (SegmentationExport.Outcome?) throws -> Void
  ) throws -> Segmentation {
    if case .unusable(let error) = entry.source { throw error }
    try outputs.makeFolder(for: entry.name)
    let ready = ahead.take(entry)
    // What was not prepared ahead did not fit beside others.
    if ready == nil { try deliver(export.take()) }
    var shown: (place: ScanGeometry, channel: Volume)?
    var deliveryError: (any Error)?
    let result = Result {
      try stages.run(
        entry, ready: ready, previous: previous.map { try $0.file(of: entry.name) }, ahead: ahead,
        noting: { scan in
          scan.warnings.forEach(reporter.warn)
          if let limit = stages.last.memoryLimit,
            scan.peakByteCount > limit - export.heldByteCount
          {
            try deliver(export.take())
          }
          guard let place = scan.place else { return export.heldByteCount }
          orientations.add(place)
          guard preview != nil, let channel = scan.channel else { return export.heldByteCount }
          shown = (place, channel)
          return export.heldByteCount + channel.values.count * MemoryLayout<Float>.stride
        },
        progress: { (stage, done, count) throws(PipelineError) in
          do { try deliver(export.take(waiting: false)) } catch {
            deliveryError = error
            throw PipelineError(.cancelled)
          }
          progress.show(window: done, of: count, stage: stage, of: stages.count)
          if interruption.hasCome, done < count { throw PipelineError(.cancelled) }
        })
    }
    if let deliveryError { throw deliveryError }
    let segmentation = try result.get()
    if let preview, let shown {
      try SegmentationPreview(
        segmentation, of: shown.channel, at: shown.place,
        preprocessing: stages.last.model.description.preprocessing, title: entry.name
      ).picture().write(to: preview, inputs: outputs.inputs)
    }
    return segmentation
  }

  private func failure(_ entry: CaseList.Entry, _ error: any Error) -> JSONValue {
    ["case": .string(entry.name), "error": .string(CommandLineTool.message(of: error))]
  }
}
