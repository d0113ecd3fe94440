// SPDX-License-Identifier: Apache-2.0
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

  /// One of several networks of one architecture, trained on other parts of the data.
  package struct Fold: Sendable, Equatable {
    /// nnU-Net's name of it: a number, or "all".
    package var name: String
    /// SHA-256 of its checkpoint, in hex.
    package var sourceSHA256: String
    /// `current_epoch` of its checkpoint.
    package var epoch: Int?

    package init(name: String, sourceSHA256: String, epoch: Int? = nil) {
      self.name = name
      self.sourceSHA256 = sourceSHA256
      self.epoch = epoch
    }

    /// What stands before the names of its tensors, as nnU-Net names its folder.
    package var prefix: String { "fold_\(name)/" }
  }

  /// The network.
  public package(set) var architecture: NetworkArchitecture
  /// Which part of it the file holds.
  public package(set) var part: Part
  /// The folds whose weights the file holds, each with all tensors; empty where it holds one network.
  package var folds: [Fold] = []
  /// The linear head on pooled features.
  public package(set) var classifier: Classifier?
  /// What happens to a scan before the network sees it.
  public package(set) var preprocessing: PreprocessingDescription
  /// How a preprocessed scan is cut or padded for the network.
  public package(set) var inputPolicy: InputPolicy
  /// What the segmentation network was trained to find.
  public package(set) var labels: LabelDescription
  /// Where the weights come from.
  package var provenance: Provenance

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

/// nnU-Net's labels in the order of dataset.json.
public struct LabelDescription: Sendable, Equatable {
  /// A label, or a region made of several.
  public struct Label: Sendable, Equatable {
    /// Its name in dataset.json.
    public package(set) var name: String
    /// Its value; several for a region.
    public package(set) var values: [Int]

    /// Creates a label.
    package init(name: String, values: [Int]) {
      self.name = name
      self.values = values
    }
  }
  /// All labels, background and ignore included.
  public package(set) var labels: [Label]
  /// `regions_class_order`, where the network was trained on regions.
  package var regionsClassOrder: [Int]?

  /// Creates a label description.
  package init(labels: [Label], regionsClassOrder: [Int]? = nil) {
    self.labels = labels
    self.regionsClassOrder = regionsClassOrder
  }
}
