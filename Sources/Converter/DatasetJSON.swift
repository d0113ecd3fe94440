// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// nnU-Net's dataset.json, or the copy inside a checkpoint.
///
/// Source: nnunetv2 `LabelManager`, `determine_num_input_channels`, which count the channels and take
/// them in their order, whatever their keys, and put every label through `int()`.
struct DatasetJSON {
  let channelNames: [String]
  let labels: LabelDescription
  let fileEnding: String?
  /// All label values but background and ignore, sorted: what a cascade appends one-hot.
  let foregroundLabels: [Int]
  /// Output channels of the segmentation network.
  let segmentationHeads: Int

  private static let valueRange = -1...65_535

  init(_ json: JSONValue, path: String) throws {
    let root = JSONField(path: path, value: json)
    let channels = try root.optional("modality") ?? root["channel_names"]
    guard let members = channels.value.object?.members else {
      throw channels.problem("is no object of names: write {\"0\": \"CT\", …}")
    }
    channelNames = try members.map { member in
      let field = try channels[member.key]
      return field.value.double == nil ? try field.string() : field.value.lineText
    }
    fileEnding = try root.optional("file_ending")?.name(limit: 64)

    let labelsField = try root["labels"]
    let labels = try Self.labels(labelsField)
    guard labels.first(where: { $0.name == "background" })?.values == [0] else {
      throw labelsField.problem("have no 'background' with value 0")
    }
    let regions = labels.filter { $0.name != "background" && $0.name != "ignore" }
    let values = Set(regions.flatMap(\.values))
    foregroundLabels = values.filter { $0 != 0 }.sorted()
    var regionsClassOrder: [Int]?
    if labels.contains(where: { $0.values.count > 1 }) {
      let order = try root["regions_class_order"]
      regionsClassOrder = try order.elements(regions.count...regions.count).map(Self.value)
      segmentationHeads = regions.count
    } else {
      segmentationHeads = values.union([0]).count
    }
    self.labels = LabelDescription(labels: labels, regionsClassOrder: regionsClassOrder)
  }

  private static func labels(_ field: JSONField) throws -> [LabelDescription.Label] {
    let members = field.value.object?.members ?? []
    // Version 1 had them the other way round.
    if !members.isEmpty,
      members.allSatisfy({ Int($0.key) != nil && $0.value.string.map { Int($0) == nil } == true })
    {
      throw field.problem(
        "go from number to name, as in version 1 — swap them: {\"background\": 0, …}")
    }
    return try members.map { member in
      let entry = try field[member.key]
      let values =
        entry.value.array == nil ? [try value(entry)] : try entry.elements(1...4096).map(value)
      return LabelDescription.Label(name: member.key, values: values)
    }
  }

  /// A label's value, which may be written `1`, `1.0` or `"1"`.
  private static func value(_ field: JSONField) throws -> Int {
    let written = field.value
    guard
      let value = written.integer ?? written.double.flatMap({ Int(exactly: $0) })
        ?? written.string.flatMap({ Int($0) })
    else { throw field.problem("is no integer") }
    guard valueRange.contains(value) else {
      throw field.problem("is \(value), outside \(valueRange.lowerBound)…\(valueRange.upperBound)")
    }
    return value
  }
}
