// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import Report
package import SWTFormat

/// Whether probabilities fit cases that nothing was fitted to.
package struct ExternalCalibration: Sendable {
  /// What logits would have to be divided by to fit these cases, beside the classifier's own temperature: above 1 where it
  /// is too sure of itself.
  package let temperature: Double
  /// By class how many cases the probabilities add up to, and how many there are.
  package let expected: [Double]
  package let found: [Int]

  /// - Parameter logits: divided by the classifier's temperature, `[cases, classes]`.
  init(logits: Matrix, labels: [Int]) {
    temperature = Temperature.fit(logits: logits, labels: labels)
    let probabilities = Softmax.probabilities(logits)
    expected = (0..<logits.columns).map { label in
      (0..<logits.rows).reduce(0) { $0 + probabilities[$1, label] }
    }
    found = (0..<logits.columns).map { label in labels.count { $0 == label } }
  }

  package var json: JSONValue {
    [
      "temperature": .number(temperature), "expected": JSONValue(expected),
      "found": JSONValue(found),
    ]
  }

  /// What it comes to, in a sentence.
  var verdict: String {
    let text = Figure.text(temperature)
    let meaning =
      switch temperature {
      case ..<0.9: "it could be surer"
      case 1.1...: "it is too sure of itself"
      default: "its probabilities are about what they say"
      }
    return "logits divided by another \(text) would fit these cases best: \(meaning)"
  }

  func lines(_ classes: [String]) -> [String] {
    ["calibration: \(verdict)"]
      + classes.enumerated().map { label, name in
        "  \(DisplayText.escaped(name)): \(found[label]) cases, expected "
          + Decimals.text(expected[label], places: 1)
      }
  }

  func section(_ classes: [String]) -> JudgementPage.Section {
    JudgementPage.Section(
      heading: "Calibration", paragraph: "L" + verdict.dropFirst() + ".",
      table: MarkupTable(
        columns: [.text("class"), .number("cases"), .number("expected")],
        rows: classes.enumerated().map { label, name in
          [name, "\(found[label])", Decimals.text(expected[label], places: 1)]
        }))
  }
}
