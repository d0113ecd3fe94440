// SPDX-License-Identifier: Apache-2.0
extension ModelDescription {
  /// The description as in a `.swt` file's header: its members other than the tensor table.
  package var json: JSONValue {
    var object = JSONObject([
      ("architecture", architecture.json),
      ("part", .string(part.rawValue)),
      ("classifier", classifier?.json ?? .null),
      ("preprocessing", preprocessing.json),
      ("input_policy", .string(inputPolicy.rawValue)),
      ("labels", .array(labels.labels.map(\.json))),
      ("regions_class_order", labels.regionsClassOrder.map { JSONValue($0) } ?? .null),
      ("provenance", provenance.json),
    ])
    if !folds.isEmpty { object["folds"] = .array(folds.map(\.json)) }
    return .object(object)
  }

  /// Reads a header, checking every field's kind and range.
  package init(json: JSONValue) throws(SWTError) {
    let field = JSONField(path: "", value: json)
    let architecture = try NetworkArchitecture(try field["architecture"])
    var labels: [LabelDescription.Label] = []
    for label in try field["labels"].elements(0...65_536) {
      labels.append(
        LabelDescription.Label(
          name: try label["name"].string(),
          values: try label["values"].integers(-1...65_535, count: 1...4096)))
    }
    self.init(
      architecture: architecture, part: try field["part"].choice(),
      preprocessing: try PreprocessingDescription(
        try field["preprocessing"], dimension: architecture.dimension),
      inputPolicy: try field["input_policy"].choice(),
      labels: LabelDescription(
        labels: labels,
        regionsClassOrder: try field.optional("regions_class_order")?
          .integers(0...65_535, count: 1...4096)),
      provenance: try Provenance(try field["provenance"]))
    if let head = try field.optional("classifier") {
      classifier = try Classifier(head, featuresPerStage: architecture.featuresPerStage)
    }
    if let folds = try field.optional("folds") { self.folds = try Self.folds(folds) }
    guard (part == .network) == (architecture.decoder != nil) else {
      throw try field["part"].problem("is \(part.rawValue), which does not fit the architecture")
    }
    if let transformer = architecture.transformer {
      guard preprocessing.patchSize == transformer.inputSize else {
        throw try field["preprocessing"].problem(
          "has patch_size \(preprocessing.patchSize) where the network takes \(transformer.inputSize)"
        )
      }
    }
    let channels = preprocessing.channels.count + preprocessing.cascadeLabels.count
    guard channels == architecture.inputChannels else {
      throw try field["preprocessing"].problem(
        "has \(channels) channels where the network takes \(architecture.inputChannels)")
    }
  }
}

extension LabelDescription.Label {
  var json: JSONValue { ["name": .string(name), "values": JSONValue(values)] }
}

extension ModelDescription {
  /// More folds than anybody trains; a file of one says nothing of folds.
  private static let foldCount = 2...64

  private static func folds(_ field: JSONField) throws(SWTError) -> [Fold] {
    var folds: [Fold] = []
    for element in try field.elements(foldCount) {
      let fold = try Fold(element)
      guard !folds.contains(where: { $0.name == fold.name }) else {
        throw element.problem("is there twice")
      }
      folds.append(fold)
    }
    return folds
  }
}

extension ModelDescription.Fold {
  var json: JSONValue {
    [
      "name": .string(name), "source_sha256": .string(sourceSHA256),
      "current_epoch": JSONValue(epoch),
    ]
  }

  init(_ field: JSONField) throws(SWTError) {
    let name = try field["name"].name(limit: 8)
    guard name == "all" || name.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      throw try field["name"].problem("is neither a number nor 'all'")
    }
    self.init(
      name: name, sourceSHA256: try field["source_sha256"].string(limit: 64),
      epoch: try field.optional("current_epoch")?.integer(0...Int(Int32.max)))
  }
}
