/// Where a model comes from. No times, paths or host names: the same checkpoint gives the same file.
public struct Provenance: Sendable, Equatable {
  /// SHA-256 of the checkpoint, in hex.
  public var sourceSHA256: String
  /// What kind of file it was, for people: "nnU-Net v2 checkpoint", …
  public var sourceKind: String
  /// `trainer_name`.
  public var trainerName: String?
  /// `plans_name`.
  public var plansName: String?
  /// `dataset_name`.
  public var datasetName: String?
  /// `configuration`.
  public var configuration: String?
  /// `fold`: a number, or "all".
  public var fold: String?
  /// `current_epoch`.
  public var epoch: Int?
  /// `inference_allowed_mirroring_axes`.
  public var mirroringAxes: [Int]?
  /// The licence the checkpoint names.
  public var licence: String?
  /// The works the checkpoint asks to cite.
  public var citations: [String]
  /// The version of nnconvert that wrote the file.
  public var nnconvertVersion: String
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
