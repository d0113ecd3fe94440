// SPDX-License-Identifier: Apache-2.0
import FileIO
import Pipeline
import SWTFormat
import SWTRuntime

/// Writes what was made of a case while the next one runs; one case at a time.
final class SegmentationExport {
  /// What became of a case: the line of it, or why it could not be written.
  typealias Outcome = (entry: CaseList.Entry, line: Result<JSONValue, any Error>)

  /// Bytes that it holds meanwhile.
  private(set) var heldByteCount = 0

  private let outputs: SegmentationOutputs
  private let savesProbabilities: Bool
  private let modelID: String
  private var writing: (entry: CaseList.Entry, line: BackgroundWork<Result<JSONValue, any Error>>)?

  init(_ outputs: SegmentationOutputs, savesProbabilities: Bool, modelID: String) {
    self.outputs = outputs
    self.savesProbabilities = savesProbabilities
    self.modelID = modelID
  }

  /// Begins to write a case; what was begun before has been taken.
  ///
  /// - Parameters:
  ///   - seconds: how long segmenting it took.
  ///   - threads: how many compress.
  func begin(_ entry: CaseList.Entry, _ result: Segmentation, seconds: Double, threads: Int) {
    let (outputs, savesProbabilities, modelID) = (outputs, savesProbabilities, modelID)
    heldByteCount = result.writingByteCount
    let line = BackgroundWork("export") {
      Result {
        let start = ContinuousClock.now
        if savesProbabilities {
          try result.writeProbabilities(
            to: outputs.probabilities(of: entry.name), threads: threads, inputs: outputs.inputs)
        }
        let path = outputs.labels(of: entry.name)
        try result.write(to: path, threads: threads, inputs: outputs.inputs)
        let statistics = result.statistics().map(\.json)
        let writing = (ContinuousClock.now - start) / .seconds(1)
        return [
          "case": .string(entry.name), "output": .string(path), "labels": .array(statistics),
          "seconds": .number(seconds + writing), "model_id": .string(modelID),
          "nnrun_version": .string(NNRun.version),
        ] as JSONValue
      }
    }
    writing = (entry, line)
  }

  /// What became of the case that was begun; `nil` where there is none.
  ///
  /// - Parameter waiting: whether it is waited for; else it is `nil` until it is written.
  func take(waiting: Bool = true) -> Outcome? {
    guard let writing, waiting || writing.line.isReady else { return nil }
    self.writing = nil
    heldByteCount = 0
    return (writing.entry, writing.line.value)
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
