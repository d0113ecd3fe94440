// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import Network
internal import PickleReader
public import SWTFormat

/// Puts a linear head on a converted encoder, or replaces the one it has.
public struct Attachment: Sendable {
  /// What the new file will say.
  public private(set) var description: ModelDescription
  /// What the user should know.
  public private(set) var warnings: [String] = []

  private let model: SWTFile
  private let head: LinearHead
  private let options: ConversionOptions

  /// Reads the model at `path` and the head that `options.headPath` names.
  ///
  /// - Throws: `ConversionError`, also where the head does not fit the model.
  public init(path: String, options: ConversionOptions) throws(ConversionError) {
    self.options = options
    do {
      model = try SWTFile(modelAt: path)
      guard let headPath = options.headPath else {
        throw ConversionError(.options(problem: "no head is named", advice: "give \(.head)"))
      }
      head = try LinearHead(
        path: headPath, prefix: options.headPrefix,
        featuresPerStage: model.description.architecture.featuresPerStage,
        toleratingUnknownObjects: options.toleratesUnknownObjects)
      if !options.ignoresHeadOrigin {
        try head.origin.check(modelID: model.modelID, inputPolicy: model.description.inputPolicy)
      }
      description = model.description
      description.classifier = try head.description(options)
      description.provenance.training = nil
      description.provenance.nnconvertVersion = NNConvertVersion.current
      try head.requireOneFold(of: model.description.folds.count)
      if let encoder = head.encoder {
        guard description.part == .encoder else {
          throw ConversionError(
            .options(
              problem: "the head's file brings its own encoder, which would not fit the decoder — "
                + "convert the checkpoint with --head instead"))
        }
        try NetworkCheck(architecture: description.architecture, weights: encoder)
          .requireEncoder()
        warnings.append("the encoder is taken from the head's file, where it was fine-tuned")
      }
    } catch { throw ConversionError(error, file: path) }
  }

  /// Writes the model with its head, atomically.
  ///
  /// - Throws: `ConversionError`, also where `path` exists and is not to be replaced, or a weight is not
  ///   finite.
  public func write(to path: String) throws(ConversionError) -> ConversionReport {
    do {
      let dataType =
        model.entry(named: Classifier.weightName, fold: 0)?.dataType ?? options.dataType
      let copy = ModelCopy(
        of: model, description: description, headDataType: dataType, newValues: newValues)
      let summary = try copy.write(
        to: path, replacing: options.replacesOutput, inputs: [head.identity],
        threads: options.threads ?? ProcessorCount.available)
      return ConversionReport(
        description: description, modelID: summary.modelID, byteCount: summary.byteCount,
        inputByteCount: model.byteCount, warnings: warnings, commitSeconds: summary.commitSeconds)
    } catch { throw ConversionError(error, file: path) }
  }

  /// What the head's file brings for a tensor.
  private func newValues(_ name: String) throws -> [Float]? {
    let values =
      switch name {
      case Classifier.weightName: head.weight
      case Classifier.biasName: head.bias
      default: try head.encoder?[name]?.values()
      }
    guard options.allowsNonFinite || values?.allSatisfy(\.isFinite) != false else {
      throw ConversionError(.nonFinite(key: name))
    }
    return values
  }
}
