// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import Pipeline
import SWTFormat

/// Writes a map of every case as it is computed, straight from the session's memory.
final class MapWriter {
  /// What a session computes at every place of its input.
  enum Map {
    /// The features of a stage.
    case stage(Int)
    /// The logits of the segmentation.
    case segmentation

    /// What the file's sidecar says of it besides.
    var sidecar: [(String, JSONValue)] {
      switch self {
      case .stage(let stage): [("stage", .integer(stage))]
      case .segmentation: []
      }
    }
  }

  let path: String
  let map: Map
  private let inputs: [MappedFile.Identity]
  private var stream: NPYStream?
  private var first: (name: String, shape: [Int])?

  init(_ map: Map, path: String, inputs: [MappedFile.Identity]) {
    self.map = map
    self.path = path
    self.inputs = inputs
  }

  private func withValues(
    of pipeline: EncoderPipeline,
    _ body: ([Int], UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    switch map {
    case .stage(let stage): try pipeline.withFeatures(ofStage: stage, body)
    case .segmentation: try pipeline.withSegmentation(body)
    }
  }

  /// Refuses a case whose map has another shape than those before.
  func check(_ name: String, _ pipeline: EncoderPipeline) throws {
    try withValues(of: pipeline) { shape, _ in
      if let first, first.shape != shape {
        throw InputError.shapesDiffer(first.name, first.shape, name, shape)
      }
    }
  }

  /// Appends the map of the last run.
  func append(_ name: String, _ pipeline: EncoderPipeline) throws {
    try withValues(of: pipeline) { shape, values in
      if first == nil {
        first = (name, shape)
        stream = try NPYStream(path: path, shape: shape, inputs: inputs)
      }
      try stream?.append(values)
    }
  }

  /// Completes the file and tells its shape; `nil` where no case got so far.
  ///
  /// - Parameter isOne: whether it holds one case without an axis of cases.
  func finish(isOne: Bool) throws -> [Int]? {
    guard let first, let stream = stream.take() else { return nil }
    let count = stream.count
    try stream.commit(isOne: isOne)
    return (isOne ? [] : [count]) + first.shape
  }
}
