// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import Network
internal import PickleReader
public import SWTFormat

/// Converts a trained nnU-Net into a `.swt` file, without Python and without running anything.
///
/// Source of the network: nnunetv2 `nnUNetTrainer`, `PlansManager`; of its weights' names:
/// dynamic_network_architectures.
public struct Conversion: Sendable {
  /// What the file will say.
  public var description: ModelDescription {
    var description = plan
    description.provenance.sourceSHA256 = sourceDigests[0].value
    for index in description.folds.indices {
      description.folds[index].sourceSHA256 = sourceDigests[index].value
    }
    return description
  }
  /// What the user should know.
  public private(set) var warnings: [String] = []

  /// The description without the source's hash.
  private let plan: ModelDescription
  /// SHA-256 in hex, of one checkpoint or of every fold's.
  private let sourceDigests: [BackgroundWork<String>]
  private let options: ConversionOptions
  private let weights: [StateDict]
  /// What messages call it, where it is of another family than nnU-Net's U-Nets.
  private let networkName: String?
  private let head: LinearHead?
  private let inputs: [MappedFile.Identity]
  private let inputByteCount: Int

  /// Reads and checks a checkpoint.
  ///
  /// - Parameters:
  ///   - path: an nnU-Net checkpoint (`.pth`, v1 `.model`), a model folder, an exported zip, or a
  ///     state dict together with `options.plansPath`.
  ///   - options: what to convert, and how.
  /// - Throws: `ConversionError` where it cannot be opened, is damaged or not supported.
  public init(
    path: String, options: ConversionOptions = ConversionOptions()
  ) throws(ConversionError) {
    do {
      try self.init(try Checkpoint.openFolds(path: path, options: options), options: options)
    } catch { throw ConversionError(error, file: path) }
  }

  /// - Parameter checkpoints: one, or several folds.
  private init(_ checkpoints: [Checkpoint], options: ConversionOptions) throws {
    let checkpoint = checkpoints[0]
    self.options = options
    networkName = checkpoint.networkName
    sourceDigests = checkpoints.map { checkpoint in
      let bytes = checkpoint.source
      return BackgroundWork("digest") { SHA256.hex(SHA256.digest(of: bytes)) }
    }
    let checked = try CheckedNetwork(checkpoint, options: options)
    var warnings = checked.warnings
    let network = checked.network
    let wholeNetwork = network.architecture
    var weights = checkpoints.map(\.weights)
    for fold in checkpoints.dropFirst() {
      try CheckedNetwork.requireFit(of: fold, to: network, options: options)
    }
    head = try options.headPath.map { path in
      try LinearHead(
        path: path, prefix: options.headPrefix, featuresPerStage: wholeNetwork.featuresPerStage,
        toleratingUnknownObjects: options.toleratesUnknownObjects)
    }
    let inputPolicy = try ConversionError.naming(networkName) {
      try Self.inputPolicy(options, of: network)
    }
    if !options.ignoresHeadOrigin {
      try head?.origin.check(modelID: nil, inputPolicy: inputPolicy)
    }
    try head?.requireOneFold(of: checkpoints.count)
    if let encoder = head?.encoder {
      guard options.part == .encoder else {
        throw ConversionError(
          .options(
            problem: "the head's file brings its own encoder, which would not fit the decoder — "
              + "leave out --part network"))
      }
      try ConversionError.naming(networkName) {
        try NetworkCheck(architecture: wholeNetwork, weights: encoder).requireEncoder()
      }
      weights = [encoder]
      warnings.append("the encoder is taken from the head's file, where it was fine-tuned")
    }
    self.weights = weights
    inputs = checkpoints.flatMap(\.identities) + (head.map { [$0.identity] } ?? [])
    inputByteCount = checkpoints.reduce(0) { $0 + $1.source.count }
    var plan = network.description(of: checkpoint, part: options.part)
    plan.classifier = try head?.description(options)
    plan.inputPolicy = inputPolicy
    plan.preprocessing.orientation = options.orientation
    let preprocessor = plan.preprocessing.preprocessorName
    if preprocessor != "DefaultPreprocessor" {
      warnings.append(
        preprocessor == MONAIBundle.preprocessor
          ? "scans cannot be run with this model: the transforms of a MONAI bundle are not reproduced; "
            + "preprocess with MONAI and give arrays (.npy)"
          : "scans cannot be run with this model: \(DisplayText.quoted(preprocessor)), the preprocessor of "
            + "its plans (nnU-Net v1's GenericPreprocessor normalises after resampling), is not "
            + "reproduced; preprocess with nnU-Net and give arrays (.npy)")
    }
    plan.preprocessing.dicomConvention = options.dicomConvention
    if checkpoints.count > 1 {
      plan.folds = checkpoints.map {
        ModelDescription.Fold(
          name: $0.fold ?? "", sourceSHA256: plan.provenance.sourceSHA256, epoch: $0.epoch)
      }
      plan.provenance.fold = plan.folds.map(\.name).joined(separator: ",")
    }
    self.plan = plan
    self.warnings = warnings
  }

  /// What of a scan the encoder is run on: a transformer takes windows of one size.
  private static func inputPolicy(
    _ options: ConversionOptions, of network: PlannedNetwork
  ) throws -> InputPolicy {
    guard let size = network.architecture.transformer?.inputSize else {
      return options.inputPolicy ?? .whole
    }
    guard options.inputPolicy != .whole else {
      throw ConversionError(
        .options(
          problem: "the network takes inputs of one size, \(size), not whole scans",
          advice: "leave out \(.inputPolicy)"))
    }
    return options.inputPolicy ?? .slidingWindow
  }

  /// Writes the model.
  ///
  /// - Parameters:
  ///   - path: where to; nothing appears under that name before the file is complete.
  ///   - progress: called with the bytes written so far and in all, on the calling thread.
  /// - Throws: `ConversionError`, also where `path` exists and is not to be replaced, or a weight is
  ///   not finite.
  public func write(
    to path: String, progress: (Int, Int) -> Void = { _, _ in }
  ) throws(ConversionError) -> ConversionReport {
    do {
      let summary = try SWTWriter.write(
        plan, tensors: tensors, to: path,
        replacing: options.replacesOutput, inputs: inputs,
        threads: options.threads ?? ProcessorCount.available,
        progress: progress, sealing: { description })
      return ConversionReport(
        description: description, modelID: summary.modelID, byteCount: summary.byteCount,
        inputByteCount: inputByteCount, warnings: warnings, commitSeconds: summary.commitSeconds)
    } catch { throw ConversionError(error, file: path) }
  }

  private var tensors: [SWTWriter.Tensor] {
    let parameters = Graph(plan).parameters
    let prefixes = plan.folds.isEmpty ? [""] : plan.folds.map(\.prefix)
    return zip(prefixes, weights).flatMap { prefix, weights in
      parameters.map { parameter in
        var tensor = tensor(parameter, of: weights)
        tensor.name = prefix + parameter.name
        return tensor
      }
    }
  }

  private func tensor(_ parameter: Parameter, of weights: StateDict) -> SWTWriter.Tensor {
    let dataType = parameter.isStoredWhole ? TensorDataType.f32 : options.dataType
    return SWTWriter.Tensor(parameter, dataType: dataType) {
      if let values = headValues(parameter.name) {
        return try finite(values.withUnsafeBytes { Bytes(Array($0)) }, parameter)
      }
      return try ConversionError.naming(networkName) {
        guard let tensor = weights[parameter.name] else {
          throw ConversionError(.missingKey(parameter.name))
        }
        do { return try finite(try tensor.floatBytes(), parameter) } catch let error as PickleError
        {
          throw ConversionError(.tensor(key: parameter.name, problem: "\(error)"))
        }
      }
    }
  }

  /// The values, unless one is NaN or infinite and may not be.
  private func finite(_ bytes: Bytes, _ parameter: Parameter) throws -> Bytes {
    guard options.allowsNonFinite || isFinite(bytes) else {
      throw ConversionError(.nonFinite(key: parameter.name))
    }
    return bytes
  }

  private func headValues(_ name: String) -> [Float]? {
    switch name {
    case Classifier.weightName: head?.weight
    case Classifier.biasName: head?.bias
    default: nil
    }
  }
}

/// Whether no element is NaN or infinite.
private func isFinite(_ bytes: Bytes) -> Bool {
  bytes.withUnsafeBytes { raw in
    var isFinite = true
    for index in 0..<raw.count / 4 {
      let bits = raw.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
      isFinite = isFinite && bits & 0x7F80_0000 != 0x7F80_0000
    }
    return isFinite
  }
}
