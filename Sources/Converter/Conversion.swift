internal import FileIO
internal import PickleReader
public import SWTFormat

/// Converts a trained nnU-Net into a `.swt` file, without Python and without running anything.
///
/// Source of the network: nnunetv2 `nnUNetTrainer`, `PlansManager`; of its weights' names:
/// dynamic_network_architectures.
public struct Conversion {
  /// What the file will say.
  public private(set) var description: ModelDescription
  /// What the user should know.
  public private(set) var warnings: [String] = []

  private let options: ConversionOptions
  private let weights: StateDict
  private let head: LinearHead?
  private let inputs: [MappedFile.Identity]
  private let inputByteCount: Int

  /// Reads and checks a checkpoint.
  ///
  /// - Parameter path: an nnU-Net checkpoint (`.pth`), or a state dict together with
  ///   `options.plansPath`.
  public init(path: String, options: ConversionOptions) throws(ConversionError) {
    do {
      try self.init(checkpoint: try Checkpoint.open(path: path, options: options), options: options)
    } catch let error as ConversionError {
      throw error
    } catch let error as SWTError {
      throw ConversionError(error)
    } catch {
      throw .unreadable(file: path, problem: "\(error)")
    }
  }

  init(checkpoint: Checkpoint, options: ConversionOptions) throws {
    self.options = options
    var warnings = checkpoint.warnings
    let network = try PlannedNetwork(checkpoint, options: options, warn: { warnings.append($0) })
    let wholeNetwork = network.architecture
    var weights = checkpoint.weights
    let hasWholeNetwork = checkpoint.isWholeNetwork || weights.hasDecoder
    if options.part == .network, !hasWholeNetwork {
      throw ConversionError.options(
        problem: "the input has no decoder — leave out --part network")
    }
    let isClassifier = !hasWholeNetwork
    let extras = isClassifier ? Set(weights.names.filter(LinearHead.isHeadKey)) : []
    try NetworkCheck(architecture: wholeNetwork, allowedExtras: extras)
      .check(weights, includingDecoder: hasWholeNetwork)

    head = try options.headPath.map { path in
      try LinearHead(
        path: path, prefix: options.headPrefix, featuresPerStage: wholeNetwork.featuresPerStage,
        toleratingUnknownObjects: options.toleratesUnknownObjects)
    }
    if !options.ignoresHeadOrigin {
      try head?.origin.check(modelID: nil, inputPolicy: options.inputPolicy)
    }
    if let encoder = head?.encoder {
      guard options.part == .encoder else {
        throw ConversionError.options(
          problem: "the head's file brings its own encoder, which would not fit the decoder — "
            + "leave out --part network")
      }
      let names = Set(encoder.names.filter(LinearHead.isHeadKey))
      try NetworkCheck(architecture: wholeNetwork, allowedExtras: names)
        .check(encoder, includingDecoder: false)
      weights = encoder
      warnings.append("the encoder is taken from the head's file, where it was fine-tuned")
    }
    self.weights = weights
    inputs = checkpoint.identities + (head.map { [$0.identity] } ?? [])
    inputByteCount = checkpoint.source.count
    var architecture = wholeNetwork
    if options.part == .encoder { architecture.decoder = nil }
    description = ModelDescription(
      architecture: architecture, part: options.part, classifier: try head?.description(options),
      preprocessing: network.preprocessing, inputPolicy: options.inputPolicy,
      labels: network.labels,
      provenance: Provenance(
        sourceSHA256: SHA256.hex(SHA256.digest(of: checkpoint.source)), sourceKind: checkpoint.kind,
        trainerName: checkpoint.trainerName, plansName: network.plansName,
        datasetName: network.datasetName, configuration: network.configurationName,
        fold: checkpoint.fold, epoch: checkpoint.epoch, mirroringAxes: checkpoint.mirroringAxes,
        licence: checkpoint.licence, citations: checkpoint.citations,
        nnconvertVersion: NNConvertVersion.current))
    self.warnings = warnings
  }

  /// Writes the model.
  ///
  /// - Parameters:
  ///   - path: where to; nothing appears under that name before the file is complete.
  ///   - progress: called with the bytes written so far and in all.
  public func write(
    to path: String, progress: (Int, Int) -> Void = { _, _ in }
  ) throws(ConversionError) -> ConversionReport {
    do {
      let summary = try SWTWriter.write(
        description, tensors: description.parameters.map(tensor), to: path,
        replacing: options.replacesOutput, inputs: inputs, progress: progress)
      return ConversionReport(
        description: description, modelID: summary.modelID, byteCount: summary.byteCount,
        inputByteCount: inputByteCount, warnings: warnings)
    } catch let error as ConversionError {
      throw error
    } catch let error as SWTError {
      throw ConversionError(error)
    } catch {
      throw .unreadable(file: path, problem: "\(error)")
    }
  }

  private func tensor(_ parameter: ParameterSpecification) -> SWTWriter.Tensor {
    let isVector = parameter.role == .perChannel
    // Vectors are small, and their rounding would move every value of a channel: they stay f32.
    let dataType = isVector ? TensorDataType.f32 : options.dataType
    return SWTWriter.Tensor(parameter, dataType: dataType) { buffer in
      if let values = headValues(parameter.name) {
        guard values.count == buffer.count else {
          throw ConversionError.missingKey(parameter.name)
        }
        _ = buffer.update(from: values)
      } else {
        guard let tensor = weights[parameter.name] else {
          throw ConversionError.missingKey(parameter.name)
        }
        do { try tensor.copyElements(into: buffer) } catch {
          throw ConversionError.tensor(key: parameter.name, problem: "\(error)")
        }
      }
      guard options.allowsNonFinite || isFinite(buffer) else {
        throw ConversionError.nonFinite(key: parameter.name)
      }
    }
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
private func isFinite(_ values: UnsafeMutableBufferPointer<Float>) -> Bool {
  // A sum of zeros is exact, and anything times zero is NaN only for NaN and infinity.
  var sum: Float = 0
  for value in values { sum += value * 0 }
  return sum == 0
}
