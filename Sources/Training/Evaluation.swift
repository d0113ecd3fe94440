// SPDX-License-Identifier: Apache-2.0
internal import FileIO
package import SWTFormat

/// How good an existing classifier is on cases that it has not seen: external validation. Nothing is fitted;
/// temperature and threshold are those of its file.
package struct Evaluation: Sendable {
  package let cases: [String]
  package let classes: [String]
  /// The class of every case.
  package let labels: [Int]
  /// With the file's temperature, `[cases, classes]`.
  package let probabilities: Matrix
  package let metrics: ClassificationMetrics
  /// The 95 % interval of the area under the curve, patients drawn; `nil` where there are too few.
  package let areaInterval: ClosedRange<Double>?
  /// How many cases are unlike those of training; `nil` where the file cannot tell.
  package let foreignCount: Int?

  /// - Parameters:
  ///   - classifier: whose classes the labels are.
  ///   - logits: `[cases, classes]`.
  ///   - distances: of every case, where the file tells.
  /// - Throws: `TrainingError.missing` where a label is no class of the model.
  package init(
    table: LabelledTable, classifier: Classifier, logits: Matrix, distances: [Double]?, seed: UInt64
  ) throws(TrainingError) {
    var labels: [Int] = []
    for (name, label) in zip(table.cases, table.labels) {
      guard
        let index = classifier.classNames.firstIndex(where: { $0.utf8.elementsEqual(label.utf8) })
      else {
        throw .missing(
          case: name,
          problem: "has label \(DisplayText.quoted(label)), which is no class of the model")
      }
      labels.append(index)
    }
    cases = table.cases
    classes = classifier.classNames
    self.labels = labels
    let probabilities = Softmax.probabilities(logits, temperature: classifier.temperature ?? 1)
    self.probabilities = probabilities
    metrics = ClassificationMetrics(probabilities: probabilities, labels: labels)
    let names = table.groups ?? table.cases
    let ranks = Dictionary(
      Set(names).sorted().enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let shown = classes.count == 2 ? [1] : Array(classes.indices)
    areaInterval = PatientBootstrap.interval(
      groups: names.map { ranks[$0] ?? 0 }, groupCount: ranks.count, seed: seed
    ) { drawn in
      shown.reduce(0) { sum, label in
        sum
          + AreaUnderCurve(
            scores: drawn.map { probabilities[$0, label] },
            isPositive: drawn.map { labels[$0] == label }
          ).value
      } / Double(shown.count)
    }
    foreignCount = classifier.outOfDistribution.flatMap { fitted in
      distances.map { $0.count { $0 > fitted.threshold } }
    }
  }

  /// The report as JSON.
  package var json: JSONValue {
    [
      "classes": JSONValue(classes), "cases": JSONValue(cases),
      "probabilities": JSONValue(rows: probabilities),
      "metrics": .object(metrics.json(interval: areaInterval)),
      "foreign": JSONValue(foreignCount),
    ]
  }

  /// The report for a terminal.
  package var lines: [String] {
    func row(_ label: String, _ value: Double, _ note: String = "") -> String {
      "  \(label)" + String(repeating: " ", count: max(1, 36 - label.count))
        + HeadTraining.text(value) + (note.isEmpty ? "" : "  (\(note))")
    }
    func range(_ range: ClosedRange<Double>) -> String {
      "95 %: \(HeadTraining.text(range.lowerBound))–\(HeadTraining.text(range.upperBound))"
    }
    var lines = [
      "\(cases.count) cases that the classifier has not been fitted to:",
      row(
        classes.count == 2 ? "AUC" : "AUC (macro, one against the rest)", metrics.area,
        areaInterval.map { range($0) + ", groups drawn" } ?? ""),
      row("balanced accuracy", metrics.balancedAccuracy),
    ]
    for (label, name) in classes.enumerated() where classes.count > 2 || label == 1 {
      let name = DisplayText.escaped(name)
      lines.append(
        row(
          "sensitivity for \(name)", metrics.sensitivity[label].value,
          range(metrics.sensitivity[label].interval)))
      lines.append(
        row(
          "specificity for \(name)", metrics.specificity[label].value,
          range(metrics.specificity[label].interval)))
    }
    lines += [
      row("log loss", metrics.logLoss), row("Brier (sum over classes)", metrics.brier),
      row("calibration error (ECE, 15 bins)", metrics.calibrationError),
    ]
    if let foreignCount {
      lines.append("  unlike those of training: \(foreignCount) of \(cases.count)")
    }
    return lines
  }
}
