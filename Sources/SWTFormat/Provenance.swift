// SPDX-License-Identifier: Apache-2.0
/// Where a model comes from. No times, paths or host names: the same checkpoint gives the same file.
package struct Provenance: Sendable, Equatable {
  /// SHA-256 of the checkpoint, in hex.
  package var sourceSHA256: String
  /// What kind of file it was, for people: "nnU-Net v2 checkpoint", …
  package var sourceKind: String
  /// `trainer_name`.
  package var trainerName: String?
  /// `plans_name`.
  package var plansName: String?
  /// `dataset_name`.
  package var datasetName: String?
  /// `configuration`.
  package var configuration: String?
  /// `fold`: a number, or "all".
  package var fold: String?
  /// `current_epoch`.
  package var epoch: Int?
  /// `inference_allowed_mirroring_axes`.
  package var mirroringAxes: [Int]?
  /// The licence the checkpoint names.
  package var licence: String?
  /// The works the checkpoint asks to cite.
  package var citations: [String]
  /// The version of nnconvert that wrote the file.
  package var nnconvertVersion: String
  /// How the classifier, and what else of the file, was trained by `nntrain`.
  package var training: TrainingProvenance?

  /// Creates a provenance.
  package init(
    sourceSHA256: String, sourceKind: String, trainerName: String? = nil, plansName: String? = nil,
    datasetName: String? = nil, configuration: String? = nil, fold: String? = nil,
    epoch: Int? = nil, mirroringAxes: [Int]? = nil, licence: String? = nil,
    citations: [String] = [], nnconvertVersion: String
  ) {
    self.sourceSHA256 = sourceSHA256
    self.sourceKind = sourceKind
    self.trainerName = trainerName
    self.plansName = plansName
    self.datasetName = datasetName
    self.configuration = configuration
    self.fold = fold
    self.epoch = epoch
    self.mirroringAxes = mirroringAxes
    self.licence = licence
    self.citations = citations
    self.nnconvertVersion = nnconvertVersion
  }
}
