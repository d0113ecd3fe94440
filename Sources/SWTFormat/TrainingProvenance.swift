// SPDX-License-Identifier: Apache-2.0
/// How `nntrain` made a classifier: enough to judge it and to make it again, nothing that tells of a
/// patient. Never holds names of cases or paths.
package struct TrainingProvenance: Sendable, Equatable {
  /// The model whose encoder it started from.
  package var parentModelID: String?
  /// What was fitted: "head", or "finetune".
  package var method: String
  /// Stages of the encoder that were trained too.
  package var trainedStages: [Int]
  /// Number of scans of every class, in the order of `class_names`.
  package var casesPerClass: [Int]
  /// Number of groups (patients).
  package var groups: Int
  /// Number of folds of the cross-validation.
  package var folds: Int
  package var seed: Int
  /// Hyper-parameters as they were given or chosen.
  package var hyperparameters: JSONObject
  /// Cross-validated figures, out of fold.
  package var metrics: JSONObject

  package init(
    parentModelID: String?, method: String, trainedStages: [Int] = [], casesPerClass: [Int],
    groups: Int, folds: Int, seed: Int, hyperparameters: JSONObject, metrics: JSONObject
  ) {
    self.parentModelID = parentModelID
    self.method = method
    self.trainedStages = trainedStages
    self.casesPerClass = casesPerClass
    self.groups = groups
    self.folds = folds
    self.seed = seed
    self.hyperparameters = hyperparameters
    self.metrics = metrics
  }

  package var json: JSONValue {
    [
      "parent_model_id": JSONValue(parentModelID), "method": .string(method),
      "trained_stages": JSONValue(trainedStages), "cases_per_class": JSONValue(casesPerClass),
      "groups": .integer(groups), "folds": .integer(folds), "seed": .integer(seed),
      "hyperparameters": .object(hyperparameters), "metrics": .object(metrics),
    ]
  }

  init(_ field: JSONField) throws(SWTError) {
    func object(_ key: String) throws(SWTError) -> JSONObject {
      let member = try field[key]
      guard let object = member.value.object else { throw member.problem("is no object") }
      return object
    }
    let count = 0...Int(Int32.max)
    self.init(
      parentModelID: try field.optional("parent_model_id")?.string(limit: 64),
      method: try field["method"].name(),
      trainedStages: try field["trained_stages"].integers(0...255, count: 0...256),
      casesPerClass: try field["cases_per_class"].integers(count, count: 1...65_536),
      groups: try field["groups"].integer(count), folds: try field["folds"].integer(count),
      seed: try field["seed"].integer(0...Int.max),
      hyperparameters: try object("hyperparameters"), metrics: try object("metrics"))
  }
}
