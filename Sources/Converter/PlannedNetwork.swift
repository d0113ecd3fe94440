// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat

/// What plans and dataset.json say of a checkpoint's network.
struct PlannedNetwork {
  /// The whole network, decoder included.
  let architecture: NetworkArchitecture
  let preprocessing: PreprocessingDescription
  let labels: LabelDescription
  let configurationName: String
  let plansName: String?
  let datasetName: String?

  init(_ checkpoint: Checkpoint, options: ConversionOptions, warn: (String) -> Void) throws {
    do {
      self = try withoutActuallyEscaping(warn) { warn in
        try Self(reading: checkpoint, options: options, warn: warn)
      }
    } catch {
      throw ConversionError.named(
        ConversionError.explained(error, by: checkpoint.unreadableFields),
        network: checkpoint.networkName)
    }
  }

  private init(
    reading checkpoint: Checkpoint, options: ConversionOptions, warn: @escaping (String) -> Void
  ) throws {
    let given = checkpoint.hasGivenAdaptationPlan ? nil : try Self.json(options.plansPath)
    var plansJSON = given ?? checkpoint.plans
    var datasetJSON = try Self.json(options.datasetPath) ?? checkpoint.dataset
    if let config = plansJSON, MONAIBundle.isConfig(config) {
      let bundle = try MONAIBundle(config, weights: checkpoint.weights)
      plansJSON = bundle.plans
      datasetJSON = datasetJSON ?? bundle.dataset
    }
    guard let plansJSON, !plansJSON.isNull else {
      throw ConversionError(
        .notNNUNet(
          problem:
            "this is a bare state dict: it lacks init_args, so kernel strides, slope, eps and "
            + "preprocessing are unknown",
          advice: "give \(.plansPath) plans.json \(.configuration) NAME (and \(.datasetPath) "
            + "dataset.json)"))
    }
    let plans = Plans(plansJSON, path: options.plansPath == nil ? "init_args.plans" : "plans")
    let names = plans.configurationNames
    guard
      let name = options.configuration ?? checkpoint.configuration
        ?? (names.count == 1 ? names[0] : nil)
    else {
      guard !names.isEmpty else { throw try plans.root["configurations"].problem("has none") }
      throw ConversionError(
        .options(
          problem: "no configuration is named",
          advice: "give \(.configuration), one of: \(DisplayText.list(names))"))
    }
    guard let datasetJSON, !datasetJSON.isNull else {
      throw ConversionError(
        .options(
          problem: "channels and labels are unknown: there is no dataset_json",
          advice: "give \(.datasetPath) dataset.json"))
    }
    let dataset = try DatasetJSON(
      datasetJSON, path: options.datasetPath == nil ? "init_args.dataset_json" : "dataset")
    let configuration = try plans.configuration(name)
    let interactionChannels = Self.interactionChannels(
      checkpoint, images: dataset.channelNames.count)
    if interactionChannels > 0 {
      warn(
        "nnInteractive: the network takes \(interactionChannels) interaction channels behind the "
          + "images, which scans do not have — give .npy arrays with all of them")
    }
    let parser = PreprocessingParser(
      plans: plans, configuration: configuration, dataset: dataset,
      interactionChannels: interactionChannels, givenSpacing: options.spacing, warn: warn)
    guard
      checkpoint.weights.naming == .primus || (options.heads == nil && options.tokenOrder == nil)
    else {
      throw ConversionError(
        .options(
          problem: "heads and an order of tokens belong to transformers",
          advice: "leave out \(.heads) and \(.tokenOrder)"))
    }
    let architectures = ArchitectureParser(
      configuration: configuration,
      inputChannels: dataset.channelNames.count + interactionChannels
        + (try parser.cascadeLabels().count),
      segmentationHeads: interactionChannels > 0 ? 2 : dataset.segmentationHeads)
    switch checkpoint.weights.naming {
    case .stuNet: architecture = try STUNetParser(architectures, checkpoint.weights).parse()
    case .dynUNet: architecture = try DynUNetParser(architectures, checkpoint.weights).parse()
    case .primus:
      architecture = try PrimusParser(
        configuration: configuration, weights: try PrimusWeights(checkpoint.weights),
        identity: PrimusIdentity(checkpoint, configuration: configuration), options: options,
        inputChannels: architectures.inputChannels,
        segmentationHeads: architectures.segmentationHeads, warn: warn
      ).parse()
    case .version1, .version2:
      architecture = try Self.architecture(architectures, of: checkpoint, warn: warn)
    }
    var preprocessing = try parser.parse()
    // A transformer's windows have the one size that it takes.
    if let size = architecture.transformer?.inputSize { preprocessing.patchSize = size }
    self.preprocessing = preprocessing
    labels = dataset.labels
    configurationName = name
    plansName = plans.plansName
    datasetName = plans.datasetName
  }

  /// A U-Net of nnU-Net's.
  private static func architecture(
    _ parser: ArchitectureParser, of checkpoint: Checkpoint, warn: (String) -> Void
  ) throws -> NetworkArchitecture {
    var architecture = try parser.parse()
    try apply(checkpoint.trainer, to: &architecture, weights: checkpoint.weights, warn: warn)
    architecture.normalization = NetworkCheck.normalization(
      planned: architecture.normalization, weights: checkpoint.weights, warn: warn)
    if checkpoint.isVersion1 {
      architecture.decoder = version1Decoder(architecture, weights: checkpoint.weights)
    }
    return architecture
  }

  /// nnInteractive feeds clicks and scribbles behind the image, of which dataset.json says nothing.
  private static func interactionChannels(_ checkpoint: Checkpoint, images: Int) -> Int {
    guard checkpoint.trainerName?.hasPrefix("nnInteractive") == true,
      let first = checkpoint.weights.shape(of: "encoder.stem.convs.0.conv.weight")
        ?? checkpoint.weights.shape(of: "encoder.stages.0.0.convs.0.conv.weight"),
      first.count > 2, (images...64).contains(first[1])
    else { return 0 }
    return first[1] - images
  }

  private static func apply(
    _ trainer: Trainer?, to architecture: inout NetworkArchitecture, weights: StateDict,
    warn: (String) -> Void
  ) throws {
    guard let trainer else { return }
    switch trainer.effect {
    case .planned: break
    case .nonlinearity(let nonlinearity): architecture.nonlinearity = nonlinearity
    case .shownByWeights: showStages(of: &architecture, weights: weights)
    case .unsupported(let what):
      throw ConversionError(
        .unsupported(
          what: "\(what) (trainer \(trainer.name))",
          advice: "trainers with instance or batch norm and LeakyReLU or ReLU can be converted"))
    case .unknown: warn(trainer.warning(planned: architecture.nonlinearity))
    }
  }

  /// Takes numbers of convolutions, widths and kernels of a plain encoder from its weights.
  private static func showStages(of architecture: inout NetworkArchitecture, weights: StateDict) {
    for index in architecture.stages.indices {
      func shape(_ block: Int) -> [Int]? {
        weights.shape(of: "encoder.stages.\(index).0.convs.\(block).conv.weight")
      }
      guard let first = shape(0), first.count == architecture.dimension + 2 else { continue }
      let blocks = NetworkArchitecture.Bounds.blocks.prefix { shape($0 - 1) != nil }.count
      let kernel = Array(first[2...])
      guard NetworkArchitecture.Bounds.features.contains(first[0]),
        kernel.allSatisfy({ $0 == 1 || $0 == 3 })
      else { continue }
      architecture.stages[index].blocks = blocks
      architecture.stages[index].features = first[0]
      architecture.stages[index].kernelSize = kernel
    }
    guard var decoder = architecture.decoder else { return }
    for index in decoder.stages.indices {
      let skip = architecture.stages[architecture.stages.count - 2 - index]
      decoder.stages[index].features = skip.features
      decoder.stages[index].convolutions = skip.blocks
    }
    architecture.decoder = decoder
  }

  /// Generic_UNet's decoder: biases as the weights show, kernels of the encoder stage below.
  private static func version1Decoder(
    _ architecture: NetworkArchitecture, weights: StateDict
  ) -> NetworkArchitecture.Decoder? {
    guard var decoder = architecture.decoder else { return nil }
    for index in decoder.stages.indices {
      decoder.stages[index].kernelSize =
        architecture.stages[architecture.stages.count - 1 - index].kernelSize
    }
    decoder.upsamplingBias = false
    decoder.segmentationBias = weights["decoder.seg_layers.0.bias"] != nil
    return decoder
  }

  /// A JSON file written by Python.
  static func json(_ path: String?) throws -> JSONValue? {
    guard let path else { return nil }
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw ConversionError(error) }
    do {
      return try JSONParser.parse(file.bytes, allowingPythonNonFinite: true)
    } catch {
      throw ConversionError(.unreadable(file: path, problem: "\(error)"))
    }
  }
}

extension PlannedNetwork {
  /// What a model file says of the network; the source's hash is left open.
  func description(of checkpoint: Checkpoint, part: ModelDescription.Part) -> ModelDescription {
    var architecture = architecture
    if part == .encoder {
      architecture.decoder = nil
      // The encoders are the same.
      if architecture.networkClass == .residualUNet {
        architecture.networkClass = .residualEncoderUNet
      }
    }
    return ModelDescription(
      architecture: architecture, part: part, preprocessing: preprocessing, labels: labels,
      provenance: Provenance(
        sourceSHA256: String(repeating: "0", count: 64), sourceKind: checkpoint.kind,
        trainerName: checkpoint.trainerName, plansName: plansName, datasetName: datasetName,
        configuration: configurationName, fold: checkpoint.fold, epoch: checkpoint.epoch,
        mirroringAxes: checkpoint.mirroringAxes, licence: checkpoint.licence,
        citations: checkpoint.citations, nnconvertVersion: NNConvertVersion.current))
  }
}
