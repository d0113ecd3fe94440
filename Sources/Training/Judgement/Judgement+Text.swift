// SPDX-License-Identifier: Apache-2.0
package import FileIO
internal import Report

extension Judgement {
  /// The figures for a terminal, the confusion matrix last.
  package var lines: [String] {
    let names = cases.classes.map { DisplayText.escaped($0) }
    let figure = names.count == 2 ? "AUC" : "AUC (macro, one against the rest)"
    var lines = [
      Self.row(
        figure, metrics.area, Self.range(areaInterval.range) + ", \(areaInterval.method)"),
      Self.row("balanced accuracy", metrics.balancedAccuracy),
    ]
    for (label, name) in names.enumerated() where names.count > 2 || label == 1 {
      lines += Self.rows(
        "for \(name)", metrics.sensitivity[label], metrics.specificity[label])
    }
    if let point = operatingPoint {
      lines += Self.rows(
        "at p ≥ \(Figure.text(point.threshold))", point.sensitivity, point.specificity)
    }
    lines += [
      Self.row("log loss", metrics.logLoss), Self.row("Brier (sum over classes)", metrics.brier),
      Self.row("calibration error (ECE, 15 bins)", metrics.calibrationError),
    ]
    if !foldMetrics.isEmpty {
      lines.append(
        "  AUC per fold: "
          + foldMetrics.map {
            $0.area.isFinite ? Figure.text($0.area) : "– (a class is missing)"
          }.joined(separator: ", "))
    }
    lines += ["", "confusion (rows: truth, columns: predicted)"]
    let width = max(7, names.map(\.count).max() ?? 0)
    func cell(_ text: String) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    lines.append("  " + ([""] + names).map(cell).joined(separator: " "))
    for (name, counts) in zip(names, metrics.confusion) {
      lines.append("  " + ([name] + counts.map(String.init)).map(cell).joined(separator: " "))
    }
    return lines
  }

  private static func rows(
    _ name: String, _ sensitivity: Proportion, _ specificity: Proportion
  ) -> [String] {
    [
      row("sensitivity \(name)", sensitivity.value, range(sensitivity.interval)),
      row("specificity \(name)", specificity.value, range(specificity.interval)),
    ]
  }

  private static func row(_ label: String, _ value: Double, _ note: String = "") -> String {
    let padding = String(repeating: " ", count: max(1, 36 - label.count))
    return "  \(label)\(padding)\(Figure.text(value))" + (note.isEmpty ? "" : "  (\(note))")
  }

  private static func range(_ range: ClosedRange<Double>) -> String {
    "95 %: \(Figure.text(range.lowerBound))–\(Figure.text(range.upperBound))"
  }

  /// Writes a table of what was predicted for every case.
  package func writePredictions(
    to path: String, inputs: [MappedFile.Identity]
  ) throws(FileError) {
    let header =
      ["case", "label", "group"] + (folds == nil ? [] : ["fold"]) + ["predicted"]
      + cases.classes.map { "p_\($0)" } + (foreignness == nil ? [] : ["distance"])
    var text = CSVText.row(header) + "\n"
    for (index, name) in cases.names.enumerated() {
      var fields = [
        name, cases.classes[cases.labels[index]], cases.groups?[index] ?? name,
      ]
      if let folds { fields.append("\(folds[index])") }
      fields.append(cases.classes[winner(index)])
      fields += probabilities.row(index).map { "\($0)" }
      if let foreignness { fields.append("\(foreignness.distances[index])") }
      text += CSVText.row(fields) + "\n"
    }
    var file = try AtomicFile(path: path, replacing: true, inputs: inputs)
    try file.write(Array(text.utf8))
    try file.commit()
  }
}

/// How reports write numbers.
enum Figure {
  /// Three decimals, or a dash for what is no number.
  static func text(_ value: Double) -> String {
    value.isFinite ? Decimals.text(value, places: 3) : "–"
  }
}
