// SPDX-License-Identifier: Apache-2.0
internal import FileIO
public import SWTFormat

/// What the user may choose about a conversion; the defaults are those of the command line.
public struct ConversionOptions: Sendable {
  /// Which part of the network to keep.
  package var part: ModelDescription.Part = .encoder
  /// How to store the weights.
  package var dataType: TensorDataType = .f32
  /// What of a scan the encoder is to be run on; `nil` for all of it, and for windows where the network
  /// takes one size only.
  package var inputPolicy: InputPolicy?
  /// A file with a linear head to store with the encoder.
  package var headPath: String?
  /// The head's name in that file, where there are several.
  package var headPrefix: String?
  /// Whether a head is taken although its file names another model or input policy.
  package var ignoresHeadOrigin = false
  /// Names of the classes; otherwise they are numbered.
  package var classNames: [String] = []
  /// What turns logits into probabilities; by default softmax, for a single output sigmoid.
  package var activation: Classifier.Activation?
  /// Where the axes of the training scans' arrays point, x first, such as `LPS`; kept for scans that lie
  /// otherwise.
  package var orientation: String?
  /// What made the training scans from DICOM, where no one orientation says it.
  package var dicomConvention: String?
  /// Plans to use instead of those in the checkpoint.
  package var plansPath: String?
  /// The configuration in the plans.
  package var configuration: String?
  /// A dataset.json to use instead of that in the checkpoint.
  package var datasetPath: String?
  /// Which of several model folders: its name, `Trainer__Plans__configuration`.
  package var modelFolder: String?
  /// Which fold of a model folder.
  package var fold: String?
  /// Which checkpoint of a fold: `final`, `best`, `latest`, or a file's name.
  package var checkpoint = "final"
  /// Where in the file the weights lie, such as `model.teacher`, where there are several networks.
  package var weightsKey: String?
  /// What stands before the encoder's names, such as `student.`, where there are several encoders.
  package var prefix: String?
  /// The spacing in mm that scans are to be resampled to, for plans that name none.
  package var spacing: [Double]?
  /// How many heads a transformer has, where nothing in its checkpoint says it.
  package var heads: Int?
  /// In which order a transformer's tokens are; by default as nnU-Net has them today.
  package var tokenOrder: Transformer.TokenOrder?
  /// The size of input to convert a transformer for, whose position embedding is resampled.
  package var inputSize: [Int]?
  /// Whether weights may be NaN or infinite.
  package var allowsNonFinite = false
  /// Whether Python objects that are not on the allow-list are kept as inert values.
  package var toleratesUnknownObjects = false
  /// How many threads work; by default as many as this process may use.
  package var threads: Int?
  /// Whether an existing output is replaced.
  package var replacesOutput = false

  /// The defaults of the command line, but for what is given.
  ///
  /// - Parameters:
  ///   - part: which part of the network to keep.
  ///   - dataType: how to store the weights.
  ///   - inputPolicy: what of a scan the encoder is to be run on; `nil` for all of it, and for windows
  ///     where the network takes one size only.
  ///   - headPath: a file with a linear head to store with the encoder.
  ///   - classNames: names of the classes; otherwise they are numbered.
  ///   - plansPath: plans to use instead of those in the checkpoint.
  ///   - configuration: the configuration in the plans.
  ///   - fold: which fold of a model folder.
  ///   - orientation: where the axes of the training scans' arrays point, x first, such as `LPS`.
  ///   - replacesOutput: whether an existing output is replaced.
  public init(
    part: ModelDescription.Part = .encoder, dataType: TensorDataType = .f32,
    inputPolicy: InputPolicy? = nil, headPath: String? = nil, classNames: [String] = [],
    plansPath: String? = nil, configuration: String? = nil, fold: String? = nil,
    orientation: String? = nil, replacesOutput: Bool = false
  ) {
    self.part = part
    self.dataType = dataType
    self.inputPolicy = inputPolicy
    self.headPath = headPath
    self.classNames = classNames
    self.plansPath = plansPath
    self.configuration = configuration
    self.fold = fold
    self.orientation = orientation
    self.replacesOutput = replacesOutput
  }
}

/// What a conversion did.
public struct ConversionReport: Sendable {
  /// The model as it was written.
  package var description: ModelDescription
  /// The new file's model id.
  public let modelID: String
  /// The new file's length in bytes.
  public let byteCount: Int
  /// The input's length.
  package var inputByteCount: Int
  /// What the user should know.
  package var warnings: [String]
  /// How long it took to make the new file durable (fsync), which is the disk's time, in seconds.
  package var commitSeconds: Double
}

/// The version of this software.
package enum NNConvertVersion {
  /// As `MAJOR.MINOR.PATCH`.
  package static var current: String { ProductVersion.current }
}
