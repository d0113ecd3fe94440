// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FileIO
import Pipeline
import Report
import SWTFormat

/// Prints what cases were classified as: a table for people, JSON Lines or CSV as results come, or
/// one JSON document.
struct ClassificationWriter {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, jsonl, csv
  }

  /// A case's row.
  struct Row {
    let name: String
    let identity: CaseIdentity?
    let logits: [Float]
    /// How far the case lies from those of training, where the classifier tells.
    let distance: Double?
    let error: String?
  }

  let format: Format
  let classifier: Classifier
  let modelID: String
  let inputPolicy: String
  private var rows: [Row] = []

  init(format: Format, classifier: Classifier, modelID: String, inputPolicy: String) throws {
    self.format = format
    self.classifier = classifier
    self.modelID = modelID
    self.inputPolicy = inputPolicy
    guard format == .csv else { return }
    let names = classifier.classNames
    let columns =
      ["case", "class"] + names.map { "p_\($0)" } + names.map { "logit_\($0)" }
      + ["model_id", "input_policy", "nnrun_version", "error", "files", "sha256"]
      + (classifier.outOfDistribution == nil ? [] : ["distance", "foreign"])
    try StandardOutput.writeLine(CSVText.row(columns))
  }

  mutating func add(_ row: Row) throws {
    switch format {
    case .jsonl: try StandardOutput.writeLine(json(row).lineText)
    case .csv:
      try StandardOutput.writeLine(CSVText.row(fields(row)))
    case .table, .json: rows.append(row)
    }
  }

  func finish() throws {
    switch format {
    case .table: try printTable()
    case .json:
      let report: JSONValue = [
        "nnrun_version": .string(NNRun.version), "model_id": .string(modelID),
        "input_policy": .string(inputPolicy), "classes": JSONValue(classifier.classNames),
        "activation": .string(classifier.activation.rawValue),
        "cases": .array(rows.map { json($0) }),
      ]
      try StandardOutput.writeLine(report.prettyText)
    case .jsonl, .csv: break
    }
  }

  private func json(_ row: Row) -> JSONValue {
    var object = JSONObject([("case", .string(row.name))])
    if let error = row.error {
      object["error"] = .string(error)
    } else {
      let probabilities = classifier.probabilities(row.logits)
      object["class"] = .string(classifier.likeliestClass(probabilities))
      object["probabilities"] = JSONValue(probabilities)
      object["logits"] = JSONValue(row.logits.map(Double.init))
      if let distance = row.distance, let fitted = classifier.outOfDistribution {
        object["distance"] = .number(distance)
        object["foreign"] = .bool(distance > fitted.threshold)
      }
    }
    object["model_id"] = .string(modelID)
    object["input_policy"] = .string(inputPolicy)
    object["nnrun_version"] = .string(NNRun.version)
    if let identity = row.identity { object["inputs"] = identity.json }
    return .object(object)
  }

  private func fields(_ row: Row) -> [String] {
    let files = row.identity?.files ?? []
    let origin = [
      modelID, inputPolicy, NNRun.version, row.error ?? "",
      files.map(\.path).joined(separator: ";"), files.map(\.sha256).joined(separator: ";"),
    ]
    guard row.error == nil else {
      let empty = [String](repeating: "", count: 1 + 2 * classifier.classNames.count)
      return [row.name] + empty + origin + foreign(row)
    }
    let probabilities = classifier.probabilities(row.logits)
    return [row.name, classifier.likeliestClass(probabilities)] + probabilities.map { "\($0)" }
      + row.logits.map { "\($0)" } + origin + foreign(row)
  }

  /// The distance from training, and whether it is beyond the classifier's threshold; nothing where it
  /// has none.
  private func foreign(_ row: Row) -> [String] {
    guard let fitted = classifier.outOfDistribution else { return [] }
    guard let distance = row.distance else { return ["", ""] }
    return ["\(distance)", distance > fitted.threshold ? "yes" : "no"]
  }

  private func printTable() throws {
    let cells = rows.map { row in
      guard row.error == nil else {
        return [DisplayText.escaped(row.name), "failed"] + classifier.classNames.map { _ in "" }
          + (classifier.outOfDistribution == nil ? [] : [""])
      }
      let probabilities = classifier.probabilities(row.logits)
      return [
        DisplayText.escaped(row.name),
        DisplayText.escaped(classifier.likeliestClass(probabilities)),
      ]
        + probabilities.map { Decimals.text($0, places: 4) } + foreign(row).suffix(1)
    }
    let header =
      ["case", "class"] + classifier.classNames.map(DisplayText.escaped)
      + (classifier.outOfDistribution == nil ? [] : ["foreign"])
    try StandardOutput.write(
      TextTable(header: header, rows: cells).text
        + "model \(modelID.prefix(16)), input policy \(inputPolicy), nnrun \(NNRun.version)\n")
  }
}
