/// Everything but the numbers of a model: what the JSON header of a `.swt` file holds.
///
/// The converter makes it from nnU-Net's plans and dataset.json, the runtime and the preprocessing
/// read it. It uses nnU-Net's words, so that the header reads like the plans it came from.
public struct ModelDescription: Sendable, Equatable {
  /// Which part of the network the file holds.
  public enum Part: String, Sendable, CaseIterable {
    /// The encoder alone.
    case encoder
    /// Encoder, decoder and segmentation layers.
    case network
  }

  /// The network.
  public var architecture: NetworkArchitecture
  /// Which part of it the file holds.
  public var part: Part
  /// The linear head on the pooled features of the last stage.
  public var classifier: Classifier?
  /// What happens to a scan before the network sees it.
  public var preprocessing: PreprocessingDescription
  /// How a preprocessed scan is cut or padded for the network.
  public var inputPolicy: InputPolicy
  /// What the segmentation network was trained to find.
  public var labels: LabelDescription
  /// Where the weights come from.
  public var provenance: Provenance

  /// Creates a description.
  package init(
    architecture: NetworkArchitecture, part: Part, classifier: Classifier? = nil,
    preprocessing: PreprocessingDescription, inputPolicy: InputPolicy = .whole,
    labels: LabelDescription, provenance: Provenance
  ) {
    self.architecture = architecture
    self.part = part
    self.classifier = classifier
    self.preprocessing = preprocessing
    self.inputPolicy = inputPolicy
    self.labels = labels
    self.provenance = provenance
  }
}

/// What of a preprocessed scan the encoder is run on.
public enum InputPolicy: String, Sendable, CaseIterable {
  /// All of it, padded with zeros to at least the patch size and a multiple of the total stride.
  case whole
  /// nnU-Net's windows of the patch size at half steps; their pooled features are averaged.
  case slidingWindow = "sliding-window"
  /// One window of the patch size at the centre.
  case centerCrop = "center-crop"
}

/// A linear classifier on globally average-pooled features: AdaptiveAvgPool(1) → Flatten → Linear.
public struct Classifier: Sendable, Equatable {
  /// What turns logits into probabilities.
  public enum Activation: String, Sendable, CaseIterable {
    /// Exactly one class is true.
    case softmax
    /// Every class is true or not on its own.
    case sigmoid
  }
  /// Names of the outputs, in order.
  public var classNames: [String]
  /// Width of the pooled features: the last of `features_per_stage`.
  public var inputFeatures: Int
  /// Whether there is a bias.
  public var hasBias: Bool
  /// What turns logits into probabilities.
  public var activation: Activation
  /// SHA-256 of the file the head came from, in hex.
  public var sourceSHA256: String

  /// Creates a classifier description.
  package init(
    classNames: [String], inputFeatures: Int, hasBias: Bool, activation: Activation,
    sourceSHA256: String
  ) {
    self.classNames = classNames
    self.inputFeatures = inputFeatures
    self.hasBias = hasBias
    self.activation = activation
    self.sourceSHA256 = sourceSHA256
  }

  /// The names its tensors have in a `.swt` file: `[classes, features]` and `[classes]`.
  package static let weightName = "classifier.weight"
  package static let biasName = "classifier.bias"
}

/// nnU-Net's labels in the order of dataset.json.
public struct LabelDescription: Sendable, Equatable {
  /// A label, or a region made of several.
  public struct Label: Sendable, Equatable {
    /// Its name in dataset.json.
    public var name: String
    /// Its value; several for a region.
    public var values: [Int]

    /// Creates a label.
    package init(name: String, values: [Int]) {
      self.name = name
      self.values = values
    }
  }
  /// All labels, background and ignore included.
  public var labels: [Label]
  /// `regions_class_order`, where the network was trained on regions.
  public var regionsClassOrder: [Int]?

  /// Creates a label description.
  package init(labels: [Label], regionsClassOrder: [Int]? = nil) {
    self.labels = labels
    self.regionsClassOrder = regionsClassOrder
  }
}

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
