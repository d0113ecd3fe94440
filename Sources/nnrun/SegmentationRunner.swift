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
    var failed = 0
    for entry in list.entries {
      guard !interruption.hasCome else { break }
      defer { progress.finishEntry() }
      if skipsDone, isDone(entry.name) { continue }
      do {
        let start = ContinuousClock.now
        let result = try segment(entry, ahead, progress, &orientations)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        try StandardOutput.writeLine(report(entry, result, seconds: seconds).lineText)
      } catch {
        let kind = CommandLineTool.kind(of: error)
        guard kind != .interrupted else { break }
        guard list.entries.count > 1, ![.usage, .internalError].contains(kind) else { throw error }
        failed += 1
        reporter.report(error, about: "case \(DisplayText.quoted(entry.name))")
        try StandardOutput.writeLine(failure(entry, error).lineText)
      }
    }
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

  private func segment(
    _ entry: CaseList.Entry, _ ahead: CaseAhead, _ progress: CaseProgress,
    _ orientations: inout OrientationTally
  ) throws -> Segmentation {
    if case .unusable(let error) = entry.source { throw error }
    try outputs.makeFolder(for: entry.name)
    var shown: (place: ScanGeometry, channel: Volume)?
    let result = try stages.run(
      entry, previous: previous.map { try $0.file(of: entry.name) }, ahead: ahead,
      noting: { scan in
        scan.warnings.forEach(reporter.warn)
        guard let place = scan.place else { return }
        orientations.add(place)
        if preview != nil, let channel = scan.channel {
          shown = (place, channel)
          stages.last.heldByteCount = channel.values.count * MemoryLayout<Float>.stride
        }
      },
      progress: { (stage, done, count) throws(PipelineError) in
        progress.show(window: done, of: count, stage: stage, of: stages.count)
        if interruption.hasCome, done < count { throw PipelineError(.cancelled) }
      })
    let threads = stages.last.threads
    if savesProbabilities {
      try result.writeProbabilities(
        to: outputs.probabilities(of: entry.name), threads: threads, inputs: outputs.inputs)
    }
    try result.write(
      to: outputs.labels(of: entry.name), threads: threads, inputs: outputs.inputs)
    if let preview, let shown {
      try SegmentationPreview(
        result, of: shown.channel, at: shown.place,
        preprocessing: stages.last.model.description.preprocessing, title: entry.name
      ).picture().write(to: preview, inputs: outputs.inputs)
    }
    return result
  }

  private func failure(_ entry: CaseList.Entry, _ error: any Error) -> JSONValue {
    ["case": .string(entry.name), "error": .string(CommandLineTool.message(of: error))]
  }

  private func report(
    _ entry: CaseList.Entry, _ result: Segmentation, seconds: Double
  ) -> JSONValue {
    let model = stages.last.model
    return [
      "case": .string(entry.name), "output": .string(outputs.labels(of: entry.name)),
      "labels": .array(result.statistics().map(\.json)), "seconds": .number(seconds),
      "model_id": .string(model.modelID), "nnrun_version": .string(NNRun.version),
    ]
  }
}

extension LabelStatistics {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "values": JSONValue(values), "voxels": .integer(voxelCount),
      "volume_ml": volume.map { .number($0) } ?? .null,
      "bounding_box": boundingBox.map { box in
        .array(box.map { JSONValue([$0.lowerBound, $0.upperBound]) })
      } ?? .null,
      "centroid_mm": centroid.map { JSONValue($0) } ?? .null,
      "components": .integer(componentCount),
    ]
  }
}
