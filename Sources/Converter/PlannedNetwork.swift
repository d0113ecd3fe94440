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
    let plansJSON = try Self.json(options.plansPath) ?? checkpoint.plans
    let datasetJSON = try Self.json(options.datasetPath) ?? checkpoint.dataset
    guard let plansJSON else {
      throw ConversionError.notNNUNet(
        problem: "this is a bare state dict: it lacks init_args, so kernel strides, slope, eps and "
          + "preprocessing are unknown",
        advice: "give --plans plans.json --configuration NAME (and --dataset-json dataset.json)")
    }
    let plans = Plans(plansJSON, path: options.plansPath == nil ? "init_args.plans" : "plans")
    guard let name = options.configuration ?? checkpoint.configuration else {
      throw ConversionError.options(
        problem: "no configuration is named — give --configuration, one of: "
          + plans.configurationNames.map(DisplayText.escaped).joined(separator: ", "))
    }
    guard let datasetJSON else {
      throw ConversionError.options(
        problem: "channels and labels are unknown — give --dataset-json dataset.json")
    }
    let dataset = try DatasetJSON(
      datasetJSON, path: options.datasetPath == nil ? "init_args.dataset_json" : "dataset")
    let configuration = try plans.configuration(name)
    let parser = PreprocessingParser(plans: plans, configuration: configuration, dataset: dataset)
    var architecture = try ArchitectureParser(
      configuration: configuration,
      inputChannels: dataset.channelNames.count + (try parser.cascadeLabels().count),
      segmentationHeads: dataset.segmentationHeads
    ).parse()
    architecture.normalization = NetworkCheck.normalization(
      planned: architecture.normalization, weights: checkpoint.weights, warn: warn)
    if checkpoint.isVersion1 { architecture.decoder = Self.version1Decoder(architecture) }
    self.architecture = architecture
    preprocessing = try parser.parse()
    labels = dataset.labels
    configurationName = name
    plansName = plans.plansName
    datasetName = plans.datasetName
  }

  /// Generic_UNet's decoder: no biases outside the blocks, kernels of the encoder stage below.
  private static func version1Decoder(
    _ architecture: NetworkArchitecture
  ) -> NetworkArchitecture.Decoder? {
    guard var decoder = architecture.decoder else { return nil }
    for index in decoder.stages.indices {
      decoder.stages[index].kernelSize =
        architecture.stages[architecture.stages.count - 1 - index].kernelSize
    }
    decoder.upsamplingBias = false
    decoder.segmentationBias = false
    return decoder
  }

  /// A JSON file written by Python.
  private static func json(_ path: String?) throws -> JSONValue? {
    guard let path else { return nil }
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw ConversionError(error) }
    do {
      return try JSONParser.parse(file.bytes, allowingPythonNonFinite: true)
    } catch {
      throw ConversionError.unreadable(file: path, problem: "\(error)")
    }
  }
}

extension LinearHead {
  /// What the model file says of the head.
  func description(_ options: ConversionOptions) throws -> Classifier {
    let names = options.classNames.isEmpty ? fitted.classNames ?? [] : options.classNames
    guard names.isEmpty || names.count == classes else {
      throw ConversionError.options(
        problem: "--class-names has \(names.count) names but the head has \(classes) outputs")
    }
    guard Set(names).count == names.count, !names.contains("") else {
      throw ConversionError.options(problem: "--class-names has a name twice, or an empty one")
    }
    return Classifier(
      classNames: names.isEmpty ? (0..<classes).map { "class\($0)" } : names,
      inputFeatures: features, hasBias: bias != nil,
      activation: options.activation ?? (classes == 1 ? .sigmoid : .softmax), sourceSHA256: sha256, temperature: fitted.temperature)
  }
}
