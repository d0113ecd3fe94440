// SPDX-License-Identifier: Apache-2.0
internal import FileIO
public import SWTFormat

/// What the user may choose about a conversion; the defaults are those of the command line.
public struct ConversionOptions: Sendable {
  /// Which part of the network to keep.
  public var part: ModelDescription.Part = .encoder
  /// How to store the weights.
  public var dataType: TensorDataType = .f32
  /// What of a scan the encoder is to be run on; `nil` for all of it, and for windows where the network
  /// takes one size only.
  public var inputPolicy: InputPolicy?
  /// A file with a linear head to store with the encoder.
  public var headPath: String?
  /// The head's name in that file, where there are several.
  public var headPrefix: String?
  /// Whether a head is taken although its file names another model or input policy.
  public var ignoresHeadOrigin = false
  /// Names of the classes; otherwise they are numbered.
  public var classNames: [String] = []
  /// What turns logits into probabilities; by default softmax, for a single output sigmoid.
  public var activation: Classifier.Activation?
  /// Where the axes of the training scans' arrays point, x first, such as `LPS`; kept for scans that lie
  /// otherwise.
  public var orientation: String?
  /// What made the training scans from DICOM, where no one orientation says it.
  public var dicomConvention: String?
  /// Plans to use instead of those in the checkpoint.
  public var plansPath: String?
  /// The configuration in the plans.
  public var configuration: String?
  /// A dataset.json to use instead of that in the checkpoint.
  public var datasetPath: String?
  /// Which of several model folders: its name, `Trainer__Plans__configuration`.
  public var modelFolder: String?
  /// Which fold of a model folder.
  public var fold: String?
  /// Which checkpoint of a fold: `final`, `best`, `latest`, or a file's name.
  public var checkpoint = "final"
  /// Where in the file the weights lie, such as `model.teacher`, where there are several networks.
  public var weightsKey: String?
  /// What stands before the encoder's names, such as `student.`, where there are several encoders.
  public var prefix: String?
  /// The spacing in mm that scans are to be resampled to, for plans that name none.
  public var spacing: [Double]?
  /// How many heads a transformer has, where nothing in its checkpoint says it.
  package var heads: Int?
  /// In which order a transformer's tokens are; by default as nnU-Net has them today.
  package var tokenOrder: Transformer.TokenOrder?
  /// The size of input to convert a transformer for, whose position embedding is resampled.
  package var inputSize: [Int]?
  /// Whether weights may be NaN or infinite.
  public var allowsNonFinite = false
  /// Whether Python objects that are not on the allow-list are kept as inert values.
  public var toleratesUnknownObjects = false
  /// How many threads work; by default as many as this process may use.
  public var threads: Int?
  /// Whether an existing output is replaced.
  public var replacesOutput = false

  /// The defaults.
  public init() {}
}

/// What a conversion did.
public struct ConversionReport: Sendable {
  /// The model as it was written.
  public var description: ModelDescription
  /// The new file's model id.
  public var modelID: String
  /// The new file's length in bytes.
  public var byteCount: Int
  /// The input's length.
  package var inputByteCount: Int
  /// What the user should know.
  public var warnings: [String]
  /// How long it took to make the new file durable (fsync), which is the disk's time, in seconds.
  package var commitSeconds: Double
}

/// The version of this software.
package enum NNConvertVersion {
  /// As `MAJOR.MINOR.PATCH`.
  package static var current: String { ProductVersion.current }
}
