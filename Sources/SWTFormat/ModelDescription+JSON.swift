extension ModelDescription {
  /// The description as in a `.swt` file's header: its members other than the tensor table.
  public var json: JSONValue {
    [
      "architecture": architecture.json,
      "part": .string(part.rawValue),
      "classifier": classifier?.json ?? .null,
      "preprocessing": preprocessing.json,
      "input_policy": .string(inputPolicy.rawValue),
      "labels": .array(labels.labels.map(\.json)),
      "regions_class_order": labels.regionsClassOrder.map { JSONValue($0) } ?? .null,
      "provenance": provenance.json,
    ]
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
      classifier = try Classifier(head, features: architecture.featuresPerStage.last ?? 0)
    }
    guard (part == .network) == (architecture.decoder != nil) else {
      throw try field["part"].problem("is \(part.rawValue), which does not fit the architecture")
    }
    let channels = preprocessing.channels.count + preprocessing.cascadeLabels.count
    guard channels == architecture.inputChannels else {
      throw try field["preprocessing"].problem(
        "has \(channels) channels where the network takes \(architecture.inputChannels)")
    }
  }
}

extension Classifier {
  var json: JSONValue {
    [
      "class_names": JSONValue(classNames), "input_features": .integer(inputFeatures),
      "bias": .bool(hasBias), "activation": .string(activation.rawValue),
      "source_sha256": .string(sourceSHA256),
    ]
  }

  init(_ field: JSONField, features: Int) throws(SWTError) {
    var names: [String] = []
    for name in try field["class_names"].elements(1...65_536) { names.append(try name.name()) }
    self.init(
      classNames: names, inputFeatures: try field["input_features"].integer(features...features),
      hasBias: try field["bias"].bool(), activation: try field["activation"].choice(),
      sourceSHA256: try field["source_sha256"].string(limit: 64))
  }
}

extension LabelDescription.Label {
  var json: JSONValue { ["name": .string(name), "values": JSONValue(values)] }
}

extension Provenance {
  var json: JSONValue {
    [
      "source_sha256": .string(sourceSHA256), "source_kind": .string(sourceKind),
      "trainer_name": JSONValue(trainerName), "plans_name": JSONValue(plansName),
      "dataset_name": JSONValue(datasetName), "configuration": JSONValue(configuration),
      "fold": JSONValue(fold), "current_epoch": JSONValue(epoch),
      "inference_allowed_mirroring_axes": mirroringAxes.map { JSONValue($0) } ?? .null,
      "licence": JSONValue(licence), "citations": JSONValue(citations),
      "nnconvert_version": .string(nnconvertVersion),
    ]
  }

  init(_ field: JSONField) throws(SWTError) {
    var citations: [String] = []
    for citation in try field["citations"].elements(0...256) {
      citations.append(try citation.string(limit: 8192))
    }
    self.init(
      sourceSHA256: try field["source_sha256"].string(limit: 64),
      sourceKind: try field["source_kind"].string(),
      trainerName: try field.optional("trainer_name")?.string(),
      plansName: try field.optional("plans_name")?.string(),
      datasetName: try field.optional("dataset_name")?.string(),
      configuration: try field.optional("configuration")?.string(),
      fold: try field.optional("fold")?.string(),
      epoch: try field.optional("current_epoch")?.integer(0...Int(Int32.max)),
      mirroringAxes: try field.optional("inference_allowed_mirroring_axes")?
        .integers(0...2, count: 0...3),
      licence: try field.optional("licence")?.string(), citations: citations,
      nnconvertVersion: try field["nnconvert_version"].string())
  }
}
