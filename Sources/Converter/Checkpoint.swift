// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import PickleReader
internal import SWTFormat

/// A trained network as a file or folder holds it: weights, and what says how they belong together.
struct Checkpoint {
  /// For people: what kind of file it is.
  var kind: String
  var weights: StateDict
  /// Plans, dataset.json and the configuration's name; missing in a bare state dict.
  var plans: JSONValue?
  var dataset: JSONValue?
  var configuration: String?
  var trainerName: String?
  var fold: String?
  var epoch: Int?
  var mirroringAxes: [Int]?
  var licence: String?
  var citations: [String] = []
  /// Whether nnssl pre-trained it: its decoder reconstructs images and segments nothing.
  var isPretrained = false
  /// Whether the plans that the user gives are nnssl's, which `plans` then says in nnU-Net's words.
  var hasGivenAdaptationPlan = false
  /// The class and its words in nnssl's adaptation plan, whatever other plans say.
  var pretrainedArchitecture: JSONField?
  /// What was wrong with fields that could not be read, by their paths.
  var unreadableFields: [String: String] = [:]
  /// Bytes of the optimizer's state, which is not converted.
  var optimizerByteCount = 0
  /// Every Python name in the pickle.
  var pickleGlobals: [String] = []
  var warnings: [String] = []

  /// The file itself.
  var source: Bytes
  var identities: [MappedFile.Identity]

  /// Whether it is a Generic_UNet of nnU-Net version 1, whose decoder differs.
  var isVersion1: Bool { weights.isVersion1 }

  /// The trainer, where it may have changed the planned network.
  var trainer: Trainer? {
    guard !isPretrained else { return nil }
    return trainerName.map { Trainer(name: $0, isVersion1: isVersion1) }
  }

  /// Reads a checkpoint from its bytes.
  init(
    _ bytes: Bytes, name: String, identities: [MappedFile.Identity], options: ConversionOptions
  ) throws {
    self.identities = identities
    source = bytes
    if FileKind.sniff(bytes) == .safetensors {
      kind = "safetensors state dict"
      let file = try SafetensorsFile(bytes)
      try OtherNetwork.refuse(keys: file.tensors.map(\.key), trainer: nil)
      weights = try StateDict(file.tensors, prefix: options.prefix)
      warnings = weights.warnings
      return
    }
    let torch: TorchFile
    do {
      torch = try TorchFile(bytes, toleratingUnknownObjects: options.toleratesUnknownObjects)
    } catch { throw ConversionError(error, file: name) }
    let root = torch.root
    pickleGlobals = torch.document.globals
    let trainer = root["trainer_name"]?.string
    var warnings: [String] = []
    guard
      let found = try WeightsFinder(root).choose(
        key: options.weightsKey, warn: { warnings.append($0) })
    else { throw Self.noWeights(in: root, name: name) }
    try OtherNetwork.refuse(keys: found.value.entries.compactMap(\.key.string), trainer: trainer)
    let adaptationPlan = root["nnssl_adaptation_plan"]
    weights = try StateDict(
      found.value, prefix: options.prefix,
      hint: adaptationPlan?["key_to_encoder"]?.string?.droppingStages)
    self.warnings = warnings + weights.warnings
    trainerName = trainer
    optimizerByteCount = Self.tensorByteCount(
      root["optimizer_state"] ?? root["optimizer_state_dict"])
    let layout = torch.layout.rawValue
    if let adaptationPlan {
      kind = "nnssl pre-trained checkpoint (\(layout))"
      do { try readPretrained(root, adaptationPlan, options: options) } catch {
        throw ConversionError.named(error, network: networkName)
      }
    } else if root["init_args"]?.isDictionary == true {
      kind = "nnU-Net v2 checkpoint (\(layout))"
      do { try readNNUNetV2(root) } catch {
        throw ConversionError.named(error, network: networkName)
      }
    } else {
      kind =
        weights.isVersion1
        ? "nnU-Net v1 checkpoint (\(layout))"
        : "\(weights.naming.family.map { "\($0) " } ?? "")state dict (\(layout))"
      epoch = root["epoch"]?.integer
    }
  }

  private static func noWeights(in root: PickleValue, name: String) -> ConversionError {
    if root["init_args"] != nil {
      return ConversionError(
        .notNNUNet(
          problem: "\(DisplayText.quoted(name)) has an nnU-Net checkpoint's fields but no "
            + "'network_weights' with tensors",
          advice: "in a MONAI bundle they are in model.pt: name the bundle's folder"))
    }
    let keys = root.entries.compactMap(\.key.string)
    return ConversionError(
      .notNNUNet(
        problem: "\(DisplayText.quoted(name)) holds no network weights"
          + (keys.isEmpty ? "" : ", only \(DisplayText.list(keys))"),
        advice: "an nnU-Net checkpoint has 'network_weights' and 'init_args'"))
  }

  /// Reads what an nnU-Net checkpoint says besides its weights. Source: nnunetv2
  /// `nnUNetTrainer.save_checkpoint`.
  mutating func readNNUNetV2(_ root: PickleValue) throws {
    let arguments = root["init_args"]
    plans = try arguments?["plans"].map { try json($0, path: "init_args.plans") }
    dataset = try arguments?["dataset_json"].map { try json($0, path: "init_args.dataset_json") }
    configuration = arguments?["configuration"]?.string
    let fold = arguments?["fold"]
    self.fold = fold?.string ?? fold?.integer.map(String.init)
    trainerName = root["trainer_name"]?.string
    epoch = root["current_epoch"]?.integer
    let axes = root["inference_allowed_mirroring_axes"]
    if let axes, !axes.isNone {
      let values = axes.elements.compactMap(\.integer)
      guard axes.isSequence, values.count == axes.elements.count,
        values.allSatisfy({ (0...2).contains($0) })
      else {
        throw ConversionError(
          .field(
            path: "inference_allowed_mirroring_axes", problem: "is no list of axes"))
      }
      mirroringAxes = values
    }
  }

  /// A plain value as JSON; what could not be read is remembered.
  mutating func json(_ value: PickleValue, path: String) throws -> JSONValue {
    var fields = PlainFields()
    let json = try fields.json(value, path: path)
    unreadableFields.merge(fields.unreadable) { $1 }
    return json
  }

  /// The bytes of all tensors below a value, each storage counted once.
  private static func tensorByteCount(_ value: PickleValue?) -> Int {
    var byteCounts: [String: Int] = [:]
    var level = value.map { [$0] } ?? []
    var budget = PickleLimits.plainValues
    while !level.isEmpty, budget > 0 {
      var next: [PickleValue] = []
      for value in level.prefix(budget) {
        if let tensor = value.tensor { byteCounts[tensor.storage.key] = tensor.storage.byteCount }
        if next.count < budget { next += value.entries.map(\.value) }
      }
      budget -= level.count
      level = next
    }
    return byteCounts.values.reduce(0, +)
  }
}

extension String {
  /// `encoder` of nnssl's `encoder.stages`.
  fileprivate var droppingStages: String {
    hasSuffix(".stages") ? String(dropLast(".stages".count)) : self
  }
}
