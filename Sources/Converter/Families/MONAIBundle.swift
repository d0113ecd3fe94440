// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat

/// A MONAI bundle's config whose `network_def` is a DynUNet, in the words of nnU-Net's plans and dataset.json.
///
/// Its transforms are not read: a model made of it runs on arrays.
///
/// Source: MONAI `DynUNet`, `monai.bundle` (references `@name`, expressions `$…`, `metadata.json` as member `_meta_`).
struct MONAIBundle {
  /// What the plans' one configuration is called.
  static let configuration = "network_def"
  /// What stands for the bundle's transforms.
  static let preprocessor = "MONAI transforms"
  /// Where a bundle keeps configs.
  static let configs = ["configs/inference.json", "configs/train.json"]
  static let metadata = "configs/metadata.json"

  let plans: JSONValue
  let dataset: JSONValue

  /// Whether a file is such a config, whatever network it defines.
  static func isConfig(_ json: JSONValue) -> Bool { json["network_def"] != nil }

  /// A config with the bundle's metadata, which lies beside it.
  static func config(_ config: JSONValue, metadata: JSONValue?) -> JSONValue {
    guard let metadata, var object = config.object, object["_meta_"] == nil else { return config }
    object["_meta_"] = metadata
    return .object(object)
  }

  /// - Throws: `ConversionError` that names the field.
  init(_ json: JSONValue, weights: StateDict) throws {
    let root = JSONField(path: "config", value: json)
    let network = try root["network_def"]
    let target = try network["_target_"].name()
    guard target.split(separator: ".").last == "DynUNet" else {
      throw ConversionError(
        .unsupported(
          what: "\(network.path)._target_ = \(DisplayText.escaped(target))",
          advice: "of MONAI's networks DynUNet can be converted"))
    }
    try Self.check(network)
    let dimension = try Self.resolved(network["spatial_dims"], in: root).integer(2...3)
    let strides = try Self.resolved(network["strides"], in: root)
      .elements(NetworkArchitecture.Bounds.stages).map { field in
        field.value.array == nil
          ? [Int](
            repeating: try field.integer(NetworkArchitecture.Bounds.stride), count: dimension)
          : try field.integers(NetworkArchitecture.Bounds.stride, count: dimension...dimension)
      }
    let total = (0..<dimension).map { axis in strides.reduce(1) { $0 * $1[axis] } }
    guard total.allSatisfy({ $0 <= 1 << 12 }) else {
      throw try network["strides"].problem("are \(total) together, more than any scan has voxels")
    }
    func count(_ key: String, _ tensor: String, _ axis: Int) throws -> Int {
      if let field = try network.optional(key), field.value.integer != nil {
        return try field.integer(NetworkArchitecture.Bounds.inputChannels)
      }
      guard let shape = weights.shape(of: tensor), shape.count > axis,
        NetworkArchitecture.Bounds.inputChannels.contains(shape[axis])
      else { return 1 }
      return shape[axis]
    }
    let channels = try count("in_channels", "encoder.input_block.conv1.conv.weight", 1)
    let classes = try count("out_channels", "decoder.output_block.conv.conv.weight", 0)
    let keywords: JSONValue = [
      "n_stages": .integer(strides.count), "strides": .array(strides.map { JSONValue($0) }),
    ]
    let resampling: JSONValue = "resample_data_or_seg_to_shape"
    let configuration: JSONValue = [
      "patch_size": JSONValue(try Self.windowSize(root, total: total)), "spacing": .null,
      "normalization_schemes": .array((0..<channels).map { _ in "NoNormalization" }),
      "use_mask_for_norm": .array((0..<channels).map { _ in false }),
      "resampling_fn_data": resampling, "preprocessor_name": .string(Self.preprocessor),
      "architecture": ["network_class_name": .string(target), "arch_kwargs": keywords],
    ]
    plans = [
      "plans_name": "MONAI bundle", "transpose_forward": [0, 1, 2],
      "transpose_backward": [0, 1, 2],
      "configurations": .object(JSONObject([(Self.configuration, configuration)])),
    ]
    let format = json["_meta_"]?["network_data_format"]
    let inputs = Self.names(format?["inputs"]?["image"], count: channels)
    var labels = (0..<max(2, classes)).map { $0 == 0 ? "background" : "label \($0)" }
    // Where channel 0 is no background, there are regions rather than labels.
    if let named = Self.names(format?["outputs"]?["pred"], count: classes),
      named[0].lowercased() == "background", named.count > 1
    {
      labels = ["background"] + named.dropFirst()
    }
    dataset = [
      "channel_names": .object(
        JSONObject((0..<channels).map { ("\($0)", .string(inputs?[$0] ?? "channel \($0)")) })),
      "labels": .object(JSONObject(labels.enumerated().map { ($1, .integer($0)) })),
    ]
  }

  /// The names of `channel_def`, where they are there for all channels and no two are the same.
  private static func names(_ value: JSONValue?, count: Int) -> [String]? {
    guard let names = value?["channel_def"] else { return nil }
    let field = JSONField(path: "channel_def", value: names)
    let found = (0..<count).compactMap { index in try? field["\(index)"].name() }
    return found.count == count && Set(found).count == count ? found : nil
  }

  /// What changes the network beside its sizes: norm and activation have to be the usual ones.
  private static func check(_ network: JSONField) throws {
    if let norm = try named(network, "norm_name") {
      guard ["instance", "batch"].contains(norm.name.lowercased()) else {
        throw ConversionError(
          .unsupported(
            what: "\(network.path).norm_name = \(DisplayText.escaped(norm.name))",
            advice: "instance and batch norm can be converted"))
      }
      for member in norm.keywords where !["affine", "num_features"].contains(member.key) {
        guard member.key == "eps", member.value.double == 1e-5 else {
          throw ConversionError(
            .unsupported(
              what: "\(network.path).norm_name's \(DisplayText.escaped(member.key))",
              advice: "train with MONAI's default"))
        }
      }
    }
    guard let activation = try named(network, "act_name") else { return }
    let slope = activation.keywords.first { $0.key == "negative_slope" }?.value.double ?? 0.01
    guard activation.name.lowercased() == "leakyrelu", slope == 0.01 else {
      throw ConversionError(
        .unsupported(
          what:
            "\(network.path).act_name = \(DisplayText.escaped(activation.name)), slope \(slope)",
          advice: "LeakyReLU of slope 0.01, MONAI's default, can be converted"))
    }
  }

  /// A layer's name, with its keywords where it is a pair.
  private static func named(
    _ network: JSONField, _ key: String
  ) throws -> (name: String, keywords: [(key: String, value: JSONValue)])? {
    guard let field = try network.optional(key) else { return nil }
    guard field.value.array != nil else { return (try field.name(), []) }
    let parts = try field.elements(1...2)
    let keywords = parts.count > 1 ? parts[1].value.object?.members : []
    guard let keywords else { throw parts[1].problem("is no object") }
    return (try parts[0].name(), keywords)
  }

  /// The windows of its inference; of other configs some that the strides divide.
  private static func windowSize(_ root: JSONField, total: [Int]) throws -> [Int] {
    if let inferer = try root.optional("inferer"), let size = try inferer.optional("roi_size"),
      size.value.array?.allSatisfy({ $0.integer != nil }) == true
    {
      return try size.integers(1...65_536, count: total.count...total.count)
    }
    return total.map { ($0 + 63) / $0 * $0 }
  }

  /// What a reference `@name` names; other expressions are not evaluated.
  private static func resolved(_ field: JSONField, in root: JSONField) throws -> JSONField {
    var field = field
    for _ in 0..<8 {
      guard let text = field.value.string else { return field }
      let name = String(text.dropFirst(text.hasPrefix("$@") ? 2 : 1))
      guard text.hasPrefix("@") || text.hasPrefix("$@"), let next = try root.optional(name) else {
        throw field.problem(
          "is \(DisplayText.quoted(text)), an expression that is not evaluated — write its value")
      }
      field = next
    }
    throw field.problem("refers to itself")
  }
}
