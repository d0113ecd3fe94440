// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import PickleReader
internal import SWTFormat

/// What nnssl (OpenMind, nnFoundation, SSL3D) writes instead of plans and dataset.json, put into
/// nnU-Net's words.
///
/// Source: nnssl `AdaptationPlan`: `architecture_plans` (class and keywords), `pretrain_plan` (the
/// preprocessing, as nnssl's own plans), `pretrain_num_input_channels`.
struct AdaptationPlan {
  let root: JSONField

  /// What the one configuration in translated plans is called where nobody named it.
  private static let configuration = "pretrained"

  init(_ json: JSONValue, path: String) { root = JSONField(path: path, value: json) }

  /// Whether it is one, and not nnU-Net's plans: nnssl writes `adaptation_plan.json` beside its checkpoints.
  static func isPlan(_ json: JSONValue) -> Bool {
    json["architecture_plans"]?.object != nil && json["pretrain_plan"]?.object != nil
  }

  /// One channel per input of the pre-trained stem; there are no labels, since nothing is segmented.
  func dataset() throws -> JSONValue {
    let channels = try root["pretrain_num_input_channels"].integer(1...256)
    let names = (0..<channels).map { (key: String($0), value: JSONValue.string("channel\($0)")) }
    return [
      "channel_names": .object(JSONObject(names)), "labels": ["background": 0],
      "file_ending": ".nii.gz",
    ]
  }

  /// Plans with one configuration, and its name.
  ///
  /// - Parameter given: one of the pre-training's configurations; not needed if there is just one.
  func plans(
    configuration given: String?
  ) throws -> (plans: JSONValue, configuration: String) {
    let pretraining = try root["pretrain_plan"]
    let configurations = try pretraining["configurations"]
    let names = configurations.value.object?.members.map(\.key) ?? []
    guard let name = given ?? (names.count == 1 ? names[0] : nil) else {
      throw ConversionError(
        .options(
          problem: "\(configurations.path) has several configurations",
          advice: "give \(.configuration), one of: \(DisplayText.list(names))"))
    }
    guard names.contains(name) else {
      throw ConversionError(
        .field(
          path: "\(configurations.path).\(name)",
          problem:
            "is missing; there are: \(names.isEmpty ? "none" : names.joined(separator: ", "))"))
    }
    let source = try configurations[name]
    let channels = try root["pretrain_num_input_channels"].integer(1...256)
    let patchSize = try source.optional("patch_size") ?? root["recommended_downstream_patchsize"]
    let translated: JSONValue = [
      "patch_size": patchSize.value,
      "spacing": try spacing(source),
      "normalization_schemes": try perChannel(source["normalization_schemes"], channels),
      "use_mask_for_norm": try source.optional("use_mask_for_norm")
        .map { try perChannel($0, channels) }
        ?? .array([JSONValue](repeating: false, count: channels)),
      "resampling_fn_data": try source.optional("resampling_fn_data")?.value
        ?? "resample_data_or_seg_to_shape",
      "resampling_fn_data_kwargs": try source.optional("resampling_fn_data_kwargs")?.value
        ?? ["is_seg": false, "order": 3, "order_z": 0, "force_separate_z": .null],
      "architecture": try architecture(),
      // The size of a transformer's position embedding.
      "pretrain_patch_size": try root.optional("pretrain_patch_size")?.value ?? .null,
      "recommended_downstream_patchsize":
        try root.optional("recommended_downstream_patchsize")?.value ?? .null,
    ]
    let axes: JSONValue = [0, 1, 2]
    let configuration = given ?? Self.configuration
    let plans: JSONValue = [
      "plans_name": try pretraining.optional("plans_name")?.value ?? .null,
      "dataset_name": try pretraining.optional("dataset_name")?.value ?? .null,
      "transpose_forward": try pretraining.optional("transpose_forward")?.value ?? axes,
      "transpose_backward": try pretraining.optional("transpose_backward")?.value ?? axes,
      "image_reader_writer": try pretraining.optional("image_reader_writer")?.value
        ?? "SimpleITKIO",
      "configurations": .object(JSONObject([(key: configuration, value: translated)])),
    ]
    return (plans, configuration)
  }

  /// The spacing that pre-training resampled to; `null` where images kept their own.
  private func spacing(_ configuration: JSONField) throws -> JSONValue {
    if let spacing = try configuration.optional("spacing") { return spacing.value }
    let style = try configuration.optional("spacing_style")
    return style?.value.string == "onemmiso" ? [1.0, 1.0, 1.0] : .null
  }

  /// Pre-training treats all channels alike: one entry stands for all of them.
  private func perChannel(_ field: JSONField, _ channels: Int) throws -> JSONValue {
    guard let only = try field.elements(1...256).first?.value, field.value.array?.count == 1 else {
      return field.value
    }
    return .array([JSONValue](repeating: only, count: channels))
  }

  fileprivate func architecture() throws -> JSONValue {
    let plans = try root["architecture_plans"]
    let name = try plans["arch_class_name"].name()
    if let keywords = try plans.optional("arch_kwargs") {
      return ["network_class_name": .string(name), "arch_kwargs": keywords.value]
    }
    return ["network_class_name": .string(name), "arch_kwargs": .null]
  }
}

extension Checkpoint {
  /// Reads a checkpoint of nnssl. Its decoder reconstructs images, so the encoder alone is taken.
  mutating func readPretrained(
    _ root: PickleValue, _ value: PickleValue, options: ConversionOptions
  ) throws {
    let path = "nnssl_adaptation_plan"
    trainerName = root["trainer_name"]?.string
    try take(AdaptationPlan(try json(value, path: path), path: path), options: options)
    fold = (root["init_args"]?["fold"]).flatMap { $0.string ?? $0.integer.map(String.init) }
    epoch = root["current_epoch"]?.integer
    citations = Self.texts(in: root["citations"])
    licence = (root["licence"] ?? root["license"])?.string.map { Self.oneLine($0, limit: 1024) }
  }

  /// Takes the adaptation plan that was given in the place of plans; otherwise does nothing.
  mutating func takeGivenAdaptationPlan(options: ConversionOptions) throws {
    guard let given = try PlannedNetwork.json(options.plansPath), AdaptationPlan.isPlan(given)
    else { return }
    hasGivenAdaptationPlan = true
    trainerName = trainerName ?? given["trainer_name"]?.string
    do { try take(AdaptationPlan(given, path: "plans"), options: options) } catch {
      throw ConversionError.named(error, network: networkName)
    }
  }

  private mutating func take(_ plan: AdaptationPlan, options: ConversionOptions) throws {
    isPretrained = true
    dataset = try plan.dataset()
    if weights.naming == .primus {
      pretrainedArchitecture = JSONField(
        path: "\(plan.root.path).architecture_plans", value: try plan.architecture())
    }
    // Other plans that are given say how scans are prepared.
    guard options.plansPath == nil || hasGivenAdaptationPlan else { return }
    let translated = try plan.plans(configuration: options.configuration)
    (plans, configuration) = (translated.plans, translated.configuration)
  }

  private static let citationLimit = 256

  /// Citations are texts, lists of them, or dictionaries with BibTeX entries.
  private static func texts(in value: PickleValue?, depth: Int = 0) -> [String] {
    guard let value, depth < 5 else { return [] }
    if let text = value.string { return [oneLine(text, limit: 8192)] }
    let inner =
      value.isDictionary
      ? [value["bibtex_citations"] ?? value["citation"]].compactMap { $0 } : value.elements
    return Array(inner.flatMap { texts(in: $0, depth: depth + 1) }.prefix(citationLimit))
  }

  /// BibTeX has line breaks; the header's texts have none.
  private static func oneLine(_ text: String, limit: Int) -> String {
    let bytes = text.utf8.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: " ") : $0 }
    // Cutting may split a character, whose rest decodes to three bytes.
    return String(
      decoding: bytes.count > limit ? bytes.prefix(limit - 3) : bytes[...], as: UTF8.self)
  }
}
