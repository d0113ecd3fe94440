import FileIO
import NPY
import Pipeline

/// Writes the features of one stage as they are computed, straight from the session's memory.
final class StageWriter {
  let path: String
  private let stage: Int
  private let inputs: [MappedFile.Identity]
  private var stream: NPYStream?
  private var first: (name: String, shape: [Int])?

  init(stage: Int, path: String, inputs: [MappedFile.Identity]) {
    self.stage = stage
    self.path = path
    self.inputs = inputs
  }

  /// Refuses a case whose features have another shape than those before.
  func check(_ name: String, _ pipeline: EncoderPipeline) throws {
    try pipeline.withFeatures(ofStage: stage) { shape, _ in
      if let first, first.shape != shape {
        throw InputError.shapesDiffer(first.name, first.shape, name, shape)
      }
    }
  }

  /// Appends the features of the last run.
  func append(_ name: String, _ pipeline: EncoderPipeline) throws {
    try pipeline.withFeatures(ofStage: stage) { shape, values in
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
