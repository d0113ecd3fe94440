// SPDX-License-Identifier: Apache-2.0
package import FileIO

extension HeadTraining {
  /// The report for a terminal.
  package var lines: [String] {
    let names = cohort.classes.map { DisplayText.escaped($0) }
    let figure = cohort.classes.count == 2 ? "AUC" : "AUC (macro, one against the rest)"
    var lines = [
      "\(cohort.cases.count) cases of \(cohort.groupNames.count) groups: "
        + zip(names, cohort.casesPerClass).map { "\($0) \($1)" }.joined(separator: ", "),
      "features: \(candidates[crossValidation.choice.candidate].name), "
        + "\(weight.columns) of them; C \(crossValidation.choice.c)"
        + (crossValidation.options.count > 1 ? ", chosen by cross-validation" : ""),
      "",
      "out of fold, \(foldMetrics.count) folds"
        + (crossValidation.options.count > 1
          ? ", everything chosen without the fold's cases:" : ":"),
      row(
        figure, metrics.area,
        Self.range(areaInterval.range)
          + (areaInterval.isOfPatients ? ", groups drawn" : ", DeLong")),
      row("balanced accuracy", metrics.balancedAccuracy),
    ]
    for (label, name) in names.enumerated() where names.count > 2 || label == 1 {
      lines.append(
        row(
          "sensitivity for \(name)", metrics.sensitivity[label].value,
          Self.range(metrics.sensitivity[label].interval)))
      lines.append(
        row(
          "specificity for \(name)", metrics.specificity[label].value,
          Self.range(metrics.specificity[label].interval)))
    }
    lines += [
      row("log loss", metrics.logLoss), row("Brier (sum over classes)", metrics.brier),
      row("calibration error (ECE, 15 bins)", metrics.calibrationError),
    ]
    let areas = foldMetrics.map(\.area)
    lines.append(
      "  AUC per fold: "
        + areas.map { $0.isFinite ? Self.text($0) : "– (a class is missing)" }
        .joined(separator: ", "))
    lines += ["", "confusion (rows: truth, columns: predicted)"]
    let width = max(7, names.map(\.count).max() ?? 0)
    func cell(_ text: String) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    lines.append("  " + ([""] + names).map(cell).joined(separator: " "))
    for (name, counts) in zip(names, metrics.confusion) {
      lines.append("  " + ([name] + counts.map(String.init)).map(cell).joined(separator: " "))
    }
    lines += [
      "", "temperature \(Self.text(temperature)); foreign beyond distance² \(Self.text(threshold))",
    ]
    return lines + [""] + caveats
  }

  /// What the figures mean, and what they do not.
  package var caveats: [String] {
    var result: [String] = []
    if cohort.cases.count < 200 {
      result.append(
        "With \(cohort.cases.count) cases every figure has a wide interval; it says nothing of other "
          + "scanners or hospitals.")
    }
    result.append(
      "Temperature and threshold were fitted to the same out-of-fold values that are judged here.")
    return result
  }

  private func row(_ label: String, _ value: Double, _ note: String = "") -> String {
    let padding = String(repeating: " ", count: max(1, 36 - label.count))
    return "  \(label)\(padding)\(Self.text(value))" + (note.isEmpty ? "" : "  (\(note))")
  }

  private static func range(_ range: ClosedRange<Double>) -> String {
    "95 %: \(text(range.lowerBound))–\(text(range.upperBound))"
  }

  /// Three decimals; not `String(format:)`, which is Foundation's.
  static func text(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "–" }
    let scaled = Int((abs(value) * 1000).rounded())
    let digits = String(scaled % 1000)
    return (value < 0 && scaled > 0 ? "-" : "") + "\(scaled / 1000)."
      + String(repeating: "0", count: 3 - digits.count) + digits
  }

  /// Writes a table of the predictions out of fold.
  package func writePredictions(
    to path: String, replacing: Bool, inputs: [MappedFile.Identity]
  ) throws(FileError) {
    let header =
      ["case", "label", "group", "fold", "predicted"] + cohort.classes.map { "p_\($0)" }
      + ["distance"]
    var text = header.map(CSVText.field).joined(separator: ",") + "\n"
    for (index, name) in cohort.cases.enumerated() {
      let winner = ClassificationMetrics.winner(probabilities.row(index))
      let fields =
        [
          name, cohort.classes[cohort.labels[index]], cohort.groupNames[cohort.groups[index]],
          "\(crossValidation.folds[index])", cohort.classes[winner],
        ] + probabilities.row(index).map { "\($0)" } + ["\(distances[index])"]
      text += fields.map(CSVText.field).joined(separator: ",") + "\n"
    }
    var file = try AtomicFile(path: path, replacing: replacing, inputs: inputs)
    try file.write(Array(text.utf8))
    try file.commit()
  }
}
