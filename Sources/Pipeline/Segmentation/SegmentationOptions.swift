// SPDX-License-Identifier: Apache-2.0
/// How a scan is segmented, where nnU-Net leaves a choice.
public struct SegmentationOptions: Sendable, Equatable {
  /// Whether the mean over mirrored windows is taken, along the axes that the model was trained with;
  /// `--disable_tta` is `false`.
  package var mirroring: Bool
  /// How far windows slide at most, as a part of their size: above 0, at most 1.
  package var stepSize: Double
  /// Smaller ones would look at a place a hundred times along every axis.
  package static let stepSizes = 0.01...1.0
  /// Whether probabilities are kept beside labels, four bytes for every class and voxel.
  package var probabilities: Bool
  /// What improves the model's segmentations, applied in the end.
  package var postprocessing: Postprocessing?
  /// The names of the labels to keep, in the end; the others become background. `nil` keeps all.
  package var labels: [String]?
  /// The names of the model's folds to take, in the order in which their logits are summed; `nil` takes
  /// all.
  package var folds: [String]?

  /// nnU-Net's own choices.
  public init(
    mirroring: Bool = true, stepSize: Double = 0.5, probabilities: Bool = false,
    postprocessing: Postprocessing? = nil, labels: [String]? = nil, folds: [String]? = nil
  ) {
    self.mirroring = mirroring
    self.stepSize = stepSize
    self.folds = folds
    self.probabilities = probabilities
    self.postprocessing = postprocessing
    self.labels = labels
  }
}
