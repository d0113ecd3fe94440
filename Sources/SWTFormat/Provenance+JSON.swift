// SPDX-License-Identifier: Apache-2.0
extension Provenance {
  var json: JSONValue {
    var object = JSONObject([
      ("source_sha256", .string(sourceSHA256)), ("source_kind", .string(sourceKind)),
      ("trainer_name", JSONValue(trainerName)), ("plans_name", JSONValue(plansName)),
      ("dataset_name", JSONValue(datasetName)), ("configuration", JSONValue(configuration)),
      ("fold", JSONValue(fold)), ("current_epoch", JSONValue(epoch)),
      ("inference_allowed_mirroring_axes", mirroringAxes.map { JSONValue($0) } ?? .null),
      ("licence", JSONValue(licence)), ("citations", JSONValue(citations)),
      ("nnconvert_version", .string(nnconvertVersion)),
    ])
    if let training { object["training"] = training.json }
    return .object(object)
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
    if let field = try field.optional("training") { training = try TrainingProvenance(field) }
  }
}
