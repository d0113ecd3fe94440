internal import SWTFormat

/// nnU-Net's dataset.json, or the copy inside a checkpoint.
///
/// Source: nnunetv2 `LabelManager`, `determine_num_input_channels`.
struct DatasetJSON {
  let channelNames: [String]
  let labels: LabelDescription
  let fileEnding: String?
  /// All label values but background and ignore, sorted: what a cascade appends one-hot.
  let foregroundLabels: [Int]
  /// Output channels of the segmentation network.
  let segmentationHeads: Int

  init(_ json: JSONValue, path: String) throws {
    let root = JSONField(path: path, value: json)
    let channels = try root.optional("modality") ?? root["channel_names"]
    guard let members = channels.value.object?.members else {
      throw channels.problem("is no object")
    }
    channelNames = try members.indices.map { index in
      try channels[String(index)].string()
    }
    fileEnding = try root.optional("file_ending")?.name(limit: 64)

    let labelsField = try root["labels"]
    var labels: [LabelDescription.Label] = []
    for member in labelsField.value.object?.members ?? [] {
      let field = try labelsField[member.key]
      let values =
        field.value.array == nil
        ? [try field.integer(-1...65_535)] : try field.integers(0...65_535, count: 1...4096)
      labels.append(LabelDescription.Label(name: member.key, values: values))
    }
    guard labels.first(where: { $0.name == "background" })?.values == [0] else {
      throw labelsField.problem("have no 'background' with value 0")
    }
    let regions = labels.filter { $0.name != "background" && $0.name != "ignore" }
    let values = Set(regions.flatMap(\.values))
    foregroundLabels = values.filter { $0 != 0 }.sorted()
    var regionsClassOrder: [Int]?
    if labels.contains(where: { $0.values.count > 1 }) {
      let order = try root["regions_class_order"]
      regionsClassOrder = try order.integers(0...65_535, count: regions.count...regions.count)
      segmentationHeads = regions.count
    } else {
      segmentationHeads = values.union([0]).count
    }
    self.labels = LabelDescription(labels: labels, regionsClassOrder: regionsClassOrder)
  }
}
