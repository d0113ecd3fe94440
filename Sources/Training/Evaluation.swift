// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import Report
package import SWTFormat

/// How good an existing classifier is on cases that it has not seen: external validation. Nothing is fitted;
/// temperature and thresholds are those of its file, or given.
package struct Evaluation: Sendable {
  package let judgement: Judgement
  package let calibration: ExternalCalibration
  private let thresholdIsGiven: Bool

  /// Where the threshold of a classifier of two classes comes from.
  package enum Threshold: Sendable {
    case given(Double)
    /// From its training; `nil` where the file tells none.
    case stored(Double?)
  }

  /// Classes of a classifier that tells exactly one of them for every case; one output decides between its class
  /// and the opposite.
  ///
  /// - Throws: `TrainingError.classifier` where its classes do not exclude each other.
  package static func classes(of classifier: Classifier) throws(TrainingError) -> [String] {
    guard classifier.activation == .sigmoid || classifier.classNames.count == 1 else {
      return classifier.classNames
    }
    guard classifier.activation == .sigmoid, let name = classifier.classNames.first,
      classifier.classNames.count == 1
    else {
      throw .classifier(
        problem: "its outputs are no classes that exclude each other")
    }
    return ["not \(name)", name]
  }

  /// - Parameters:
  ///   - classifier: whose classes the labels are.
  ///   - logits: `[cases, outputs]`.
  ///   - distances: of every case, where the file tells.
  /// - Throws: `TrainingError.missing` where a label is no class of the model.
  package init(
    table: LabelledTable, classifier: Classifier, logits: Matrix, distances: [Double]?,
    threshold: Threshold, seed: UInt64
  ) throws(TrainingError) {
    let classes = try Self.classes(of: classifier)
    let labels = try Self.labels(of: table, classes)
    let temperature = classifier.temperature ?? 1
    var scaled = Matrix(rows: logits.rows, columns: classes.count)
    for row in 0..<logits.rows {
      for column in classes.indices {
        // One output is the difference of two, of which the first is 0.
        let output = column - (classes.count - logits.columns)
        scaled[row, column] = output < 0 ? 0 : logits[row, output] / temperature
      }
    }
    let probabilities = Softmax.probabilities(scaled)
    let value: Double?
    (value, thresholdIsGiven) =
      switch threshold {
      case .given(let value): (value, true)
      case .stored(let value): (value, false)
      }
    let isBinary = classes.count == 2
    guard isBinary || !thresholdIsGiven else {
      throw .classifier(problem: "it has \(classes.count) classes, and a threshold is for two")
    }
    let foreignness = classifier.outOfDistribution.flatMap { fitted in
      distances.map { Judgement.Foreignness(distances: $0, threshold: fitted.threshold) }
    }
    judgement = Judgement(
      Judgement.Cases(
        names: table.cases, classes: classes, labels: labels, groups: table.groups),
      probabilities: probabilities, foreignness: foreignness,
      operatingPoint: isBinary
        ? value.map { value in
          OperatingPoint(
            threshold: value, scores: labels.indices.map { probabilities[$0, 1] },
            isPositive: labels.map { $0 == 1 })
        } : nil, seed: seed)
    calibration = ExternalCalibration(logits: scaled, labels: labels)
  }

  /// Refused before any work: labels that are no classes.
  package static func labels(
    of table: LabelledTable, _ classes: [String]
  ) throws(TrainingError) -> [Int] {
    var labels: [Int] = []
    for (name, label) in zip(table.cases, table.labels) {
      guard let index = classes.firstIndex(where: { $0.utf8.elementsEqual(label.utf8) }) else {
        throw .missing(
          case: name,
          problem: "has label \(DisplayText.quoted(label)), which is no class of the model")
      }
      labels.append(index)
    }
    return labels
  }

  /// The report as JSON.
  package var json: JSONValue {
    var object = JSONObject([
      ("classes", JSONValue(judgement.cases.classes)),
      ("cases", JSONValue(judgement.cases.names)),
    ])
    for (key, value) in judgement.json.members { object[key] = value }
    object["calibration"] = calibration.json
    if let foreignness = judgement.foreignness {
      object["out_of_distribution"] = [
        "threshold": .number(foreignness.threshold),
        "distances": .array(foreignness.distances.map { JSONValue(finite: $0) }),
      ]
    }
    object["foreign"] = JSONValue(foreignCount)
    object["warnings"] = JSONValue(warnings)
    return .object(object)
  }

  private var foreignCount: Int? {
    judgement.foreignness.map { _ in
      judgement.cases.labels.indices.count(where: judgement.isForeign)
    }
  }

  /// What a user should know, once each.
  package var warnings: [String] {
    let cases = judgement.cases
    return cases.classes.enumerated().filter { !cases.labels.contains($0.offset) }.map {
      "no case of class \(DisplayText.quoted($0.element)): figures about it say nothing"
    }
  }

  /// The report for a terminal.
  package var lines: [String] {
    var lines =
      ["\(judgement.cases.names.count) cases that the classifier has not been fitted to:"]
      + judgement.lines + [""] + calibration.lines(judgement.cases.classes)
    if let foreignCount {
      lines.append("unlike those of training: \(foreignCount) of \(judgement.cases.names.count)")
    }
    return lines + [""] + caveats
  }

  private var caveats: [String] {
    var result = judgement.caveats
    if judgement.operatingPoint != nil {
      result.append(
        "The threshold was "
          + (thresholdIsGiven ? "given" : "chosen when the classifier was trained")
          + ", not on these cases.")
    }
    return result + ["Temperature and distances are the classifier's; nothing was fitted here."]
  }

  /// The report as a page.
  ///
  /// - Parameter provenance: what was judged: names and values.
  package func page(provenance: [(name: String, value: String)]) -> JudgementPage {
    let cases = judgement.cases
    let groupCount = Set(cases.groups ?? cases.names).count
    return JudgementPage(
      judgement,
      subtitle:
        "\(cases.names.count) scans of \(groupCount) patients or groups that the classifier "
        + "has not been fitted to.",
      notes: warnings + caveats, sections: [calibration.section(cases.classes)],
      provenance: provenance)
  }
}
