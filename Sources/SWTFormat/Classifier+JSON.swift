// SPDX-License-Identifier: Apache-2.0
extension Classifier {
  /// What keeps a class's name out of a file, as it follows the name; `nil` where nothing does.
  package static func problem(ofClassName name: String) -> String? {
    JSONField.problem(of: name, limit: JSONField.nameLimit)
  }

  var json: JSONValue {
    var object = JSONObject([
      ("class_names", JSONValue(classNames)), ("input_features", .integer(inputFeatures)),
      ("bias", .bool(hasBias)), ("activation", .string(activation.rawValue)),
      ("source_sha256", .string(sourceSHA256)),
    ])
    if let pooling { object["pooling"] = .array(pooling.map(\.json)) }
    if let temperature { object["temperature"] = .number(temperature) }
    if let outOfDistribution { object["out_of_distribution"] = outOfDistribution.json }
    return .object(object)
  }

  init(_ field: JSONField, featuresPerStage: [Int]) throws(SWTError) {
    var names: [String] = []
    for name in try field["class_names"].elements(1...65_536) { names.append(try name.name()) }
    let pooling = try field.optional("pooling")
    let poolings = try pooling.map { field throws(SWTError) in
      try Self.poolings(field, stageCount: featuresPerStage.count)
    }
    let features =
      poolings?.reduce(0) { $0 + featuresPerStage[$1.stage] } ?? featuresPerStage.last ?? 0
    self.init(
      classNames: names, inputFeatures: try field["input_features"].integer(features...features),
      hasBias: try field["bias"].bool(), activation: try field["activation"].choice(),
      sourceSHA256: try field["source_sha256"].string(limit: 64), pooling: poolings)
    if let field = try field.optional("temperature") {
      let value = try field.number()
      guard value > 0 else { throw field.problem("is \(value), not positive") }
      temperature = value
    }
    if let field = try field.optional("out_of_distribution") {
      outOfDistribution = try OutOfDistribution(field, features: features)
    }
  }

  private static func poolings(
    _ field: JSONField, stageCount: Int
  ) throws(SWTError) -> [Pooling] {
    var result: [Pooling] = []
    for element in try field.elements(1...64) {
      let pooling = Pooling(
        stage: try element["stage"].integer(0...stageCount - 1),
        statistic: try element["statistic"].choice())
      guard !result.contains(pooling) else { throw element.problem("is there twice") }
      result.append(pooling)
    }
    return result
  }
}

extension Classifier.Pooling {
  var json: JSONValue { ["stage": .integer(stage), "statistic": .string(statistic.rawValue)] }
}

extension Classifier.OutOfDistribution {
  var json: JSONValue {
    var object = JSONObject([("threshold", .number(threshold))])
    if case .lowRank(let rank) = precision { object["rank"] = .integer(rank) }
    return .object(object)
  }

  init(_ field: JSONField, features: Int) throws(SWTError) {
    let threshold = try field["threshold"].number()
    guard threshold > 0 else {
      throw try field["threshold"].problem("is \(threshold), not positive")
    }
    let rank = try field.optional("rank")
    guard (rank != nil) == (features > Self.fullLimit) else {
      throw try field["rank"].problem(
        "does not belong to \(features) features, of which a full matrix is stored")
    }
    let precision = try rank.map { field throws(SWTError) in
      Precision.lowRank(try field.integer(1...Self.rankLimit))
    }
    self.init(threshold: threshold, precision: precision ?? .full)
  }
}
