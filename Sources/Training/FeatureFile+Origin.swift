// SPDX-License-Identifier: Apache-2.0
internal import Pipeline
package import SWTFormat

extension FeatureFile {
  /// The policy that `nnrun features` names for arrays, about which nothing is known.
  private static let asGiven = "as-given"

  /// Refuses features that another model made, or another input policy than the model's.
  package func checkOrigin(_ model: SWTFile) throws(TrainingError) {
    if let modelID, modelID != model.modelID {
      throw .features(
        problem: "they were made by model \(modelID.prefix(64)), not by \(model.modelID)")
    }
    let policy = model.description.inputPolicy.rawValue
    if let inputPolicy, inputPolicy != Self.asGiven, inputPolicy != policy {
      throw .features(
        problem: "they were made under input policy '\(inputPolicy.prefix(64))', but the model has "
          + "'\(policy)'")
    }
  }

  /// What the columns are, `nil` for the last stage's means: as the `.json` says, else by their number these or means
  /// and maxima of all stages.
  package func pooling(
    in architecture: NetworkArchitecture
  ) throws(TrainingError) -> [Classifier.Pooling]? {
    let widths = architecture.featuresPerStage
    if let pooling {
      guard pooling.allSatisfy({ widths.indices.contains($0.stage) }),
        pooling.featureCount(widths) == features.columns
      else {
        throw .features(
          problem: "their pooling is not that of \(features.columns) features of this model")
      }
      return pooling == Pooling.mean.entries(stageCount: widths.count) ? nil : pooling
    }
    if features.columns == widths.last { return nil }
    let all = Classifier.Pooling.all(stageCount: widths.count)
    let width = all.featureCount(widths)
    guard features.columns == width else {
      throw .features(
        problem: "they have \(features.columns) columns where the model's last stage has "
          + "\(widths.last ?? 0), and means and maxima of all stages \(width)")
    }
    return all
  }
}
