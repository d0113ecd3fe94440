// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import Preprocessing
internal import SWTFormat

/// What nnU-Net found to improve a model's segmentations: `postprocessing.json`.
public struct Postprocessing: Sendable, Equatable {
  /// The labels of every step; those of a step count as one.
  let steps: [[Int]]

  private static let removal = "remove_all_but_largest_component_from_segmentation"
  private static let byteLimit = 1 << 20
  private static let labelLimit = 65_536

  /// Reads a file as `nnUNetv2_find_best_configuration` writes it beside its `.pkl`.
  ///
  /// - Throws: `PipelineError` where it is none, or asks for something else than keeping
  ///   largest components.
  public init(contentsOf path: String) throws(PipelineError) {
    func refuse(_ problem: String) -> PipelineError {
      PipelineError(.postprocessing(path: path, problem: problem))
    }
    let json: JSONValue
    do {
      let bytes = try MappedFile(path: path).bytes
      guard bytes.count <= Self.byteLimit else { throw refuse("is too large") }
      json = try JSONParser.parse(bytes)
    } catch let error as FileError {
      throw PipelineError(.preprocessing(PreprocessingError(.file(error))))
    } catch let error as PipelineError {
      throw error
    } catch {
      throw refuse("is no JSON (\(error)) — name the postprocessing.json, not the .pkl")
    }
    guard let functions = json["postprocessing_fns"]?.array,
      let keywords = json["postprocessing_kwargs"]?.array, functions.count == keywords.count
    else { throw refuse("lacks postprocessing_fns and postprocessing_kwargs, one for each other") }
    var steps: [[Int]] = []
    for (function, keyword) in zip(functions, keywords) {
      guard function.string == Self.removal else {
        throw refuse("names the function \(function.lineText), which is not known here")
      }
      guard let labels = Self.labels(keyword["labels_or_regions"]), !labels.isEmpty else {
        throw refuse("has labels_or_regions that are no labels")
      }
      guard keyword["background_label"]?.integer ?? 0 == 0 else {
        throw refuse("has another background_label than 0")
      }
      steps.append(labels)
    }
    self.steps = steps
  }

  /// A label, a region (a list of labels), or a list of these: all labels in it.
  private static func labels(_ value: JSONValue?) -> [Int]? {
    if let label = value?.integer { return (1..<labelLimit).contains(label) ? [label] : nil }
    guard let entries = value?.array else { return nil }
    var labels: [Int] = []
    for entry in entries {
      guard let some = Self.labels(entry) else { return nil }
      labels += some
    }
    return labels
  }

  /// Keeps the largest component of every step's labels; the rest becomes background.
  func apply(to labels: inout [UInt16], shape: [Int]) {
    for step in steps {
      var classOf = [UInt16](repeating: 0, count: (step.max() ?? 0) + 1)
      for label in step { classOf[label] = 1 }
      var components = ConnectedComponents(labels, shape: shape, classOf: classOf)
      components.forEachRunOutsideLargest { run in
        for index in run { labels[index] = 0 }
      }
    }
  }
}
