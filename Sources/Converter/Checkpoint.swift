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
  /// Whether the whole network must be there: an nnU-Net checkpoint always has it.
  var isWholeNetwork = false
  /// Whether it is a Generic_UNet of nnU-Net version 1, whose decoder differs.
  var isVersion1 = false
  /// Bytes of the optimizer's state, which is not converted.
  var optimizerByteCount = 0
  /// Every Python name in the pickle.
  var pickleGlobals: [String] = []
  var warnings: [String] = []

  /// The file itself.
  var source: Bytes
  var identities: [MappedFile.Identity]

  /// Reads a checkpoint from its bytes.
  init(
    _ bytes: Bytes, name: String, identities: [MappedFile.Identity], options: ConversionOptions
  ) throws {
    self.identities = identities
    source = bytes
    if FileKind.sniff(bytes) == .safetensors {
      kind = "safetensors state dict"
      weights = try StateDict(try SafetensorsFile(bytes).tensors)
      return
    }
    let torch: TorchFile
    do {
      torch = try TorchFile(bytes, toleratingUnknownObjects: options.toleratesUnknownObjects)
    } catch { throw ConversionError(error, file: name) }
    pickleGlobals = torch.document.globals
    let root = torch.root
    if root["network_weights"] != nil, root["init_args"] != nil {
      kind = "nnU-Net v2 checkpoint (\(torch.layout.rawValue))"
      weights = try StateDict(try Self.weights(in: root))
      try readNNUNetV2(root)
    } else {
      guard let dict = WeightsFinder.stateDict(in: root) else {
        throw ConversionError.notNNUNet(
          problem: "\(DisplayText.quoted(name)) holds no network weights",
          advice: "an nnU-Net checkpoint has 'network_weights' and 'init_args'")
      }
      weights = try StateDict(dict)
      isVersion1 = Version1.has(dict.entries.compactMap(\.key.string))
      kind =
        isVersion1
        ? "nnU-Net v1 checkpoint (\(torch.layout.rawValue))"
        : "state dict (\(torch.layout.rawValue))"
      epoch = root["epoch"]?.integer
      if let plan = root["nnssl_adaptation_plan"] {
        kind = "nnssl pre-trained checkpoint (\(torch.layout.rawValue))"
        try readPretrained(root, plan, options: options)
      }
    }
    try refuseOtherNetworks()
  }

  private static func weights(in root: PickleValue) throws -> PickleValue {
    guard let weights = root["network_weights"], WeightsFinder.isStateDict(weights) else {
      throw ConversionError.notNNUNet(
        problem: "'network_weights' holds no tensors", advice: "the checkpoint is damaged")
    }
    return weights
  }

  /// Source: nnunetv2 `nnUNetTrainer.save_checkpoint`.
  private mutating func readNNUNetV2(_ root: PickleValue) throws {
    isWholeNetwork = true
    let arguments = try root["init_args"]?.member("plans", "dataset_json", "configuration") ?? [:]
    plans = try arguments["plans"]?.json(path: "init_args.plans")
    dataset = try arguments["dataset_json"]?.json(path: "init_args.dataset_json")
    configuration = arguments["configuration"]?.string
    let fold = root["init_args"]?["fold"]
    self.fold = fold?.string ?? fold?.integer.map(String.init)
    trainerName = root["trainer_name"]?.string
    epoch = root["current_epoch"]?.integer
    let axes = root["inference_allowed_mirroring_axes"]
    if let axes, !axes.isNone {
      let values = axes.elements.compactMap(\.integer)
      guard axes.isSequence, values.count == axes.elements.count,
        values.allSatisfy({ (0...2).contains($0) })
      else {
        throw ConversionError.field(
          path: "inference_allowed_mirroring_axes", problem: "is no list of axes")
      }
      mirroringAxes = values
    }
    optimizerByteCount = Self.tensorByteCount(root["optimizer_state"])
    if let trainerName, trainerName.contains("Primus") {
      throw ConversionError.unsupported(
        what: "the Primus transformer (trainer \(trainerName))",
        advice: "PlainConvUNet and ResidualEncoderUNet can be converted")
    }
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

  /// Networks that are known but not ours, told by their keys.
  private func refuseOtherNetworks() throws {
    let others: [(marker: String, what: String)] = [
      ("eva.", "the Primus transformer"), ("down_projection.", "the Primus transformer"),
      ("swinViT.", "SwinUNETR"), ("vit.", "a vision transformer"),
      ("enc_block_0.", "MedNeXt"), ("encoder.initial_conv.", "the ResEnc network of nnU-Net v1"),
      ("mamba", "U-Mamba"),
    ]
    for name in weights.names {
      for other in others
      where name.hasPrefix(other.marker) || (other.marker == "mamba" && name.contains("mamba")) {
        throw ConversionError.unsupported(
          what: "\(other.what) (key '\(name)')",
          advice: "PlainConvUNet and ResidualEncoderUNet can be converted")
      }
    }
  }
}

extension PickleValue {
  /// The members of those names.
  fileprivate func member(_ names: String...) throws -> [String: PickleValue] {
    var result: [String: PickleValue] = [:]
    for name in names { result[name] = self[name] }
    return result
  }
}
