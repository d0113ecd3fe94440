// SPDX-License-Identifier: Apache-2.0
import FileIO
import SWTFormat
import TestSupport
import Testing

@testable import Training

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// What reports say of a classifier.
@Suite struct JudgementTests {
  /// By hand: with "told from p on" as the rule.
  @Test func anOperatingPointCountsWhatIsTold() {
    let point = OperatingPoint(
      threshold: 0.4, scores: [0.1, 0.4, 0.9, 0.3, 0.8],
      isPositive: [false, false, true, true, true])
    #expect(point.sensitivity.count == 2 && point.sensitivity.total == 3)
    #expect(point.specificity.count == 1 && point.specificity.total == 2)
  }

  @Test(arguments: [
    // Separable: halfway between the two kinds.
    ([0.1, 0.2, 0.6, 0.9], [false, false, true, true], 0.4),
    // The sum is 1.5 at both; the nearer to one half.
    ([0.05, 0.2, 0.4, 0.55], [false, true, false, true], 0.475),
    // Equal scores are never told apart.
    ([0.3, 0.3, 0.3, 0.8], [false, true, false, true], 0.55),
  ])
  func theBestOneIsYoudens(scores: [Double], isPositive: [Bool], threshold: Double) throws {
    let point = try #require(OperatingPoint.best(scores: scores, isPositive: isPositive))
    #expect(abs(point.threshold - threshold) < 1e-12, "\(point.threshold)")
  }

  @Test func thereIsNoneWithoutBothKinds() {
    #expect(OperatingPoint.best(scores: [0.1, 0.2], isPositive: [true, true]) == nil)
    #expect(OperatingPoint.best(scores: [0.5, 0.5], isPositive: [true, false]) == nil)
  }

  private func evaluation(
    _ labels: [String], _ classifier: Classifier, logits: [Double],
    threshold: Evaluation.Threshold = .stored(nil)
  ) throws -> Evaluation {
    let folder = try TemporaryFolder()
    let rows = labels.enumerated().map { "c\($0),\($1)\n" }
    var file = try AtomicFile(path: folder.file("t.csv"), replacing: true)
    try file.write(Array(("case,label\n" + rows.joined()).utf8))
    try file.commit()
    return try Evaluation(
      table: LabelledTable(path: folder.file("t.csv"), label: "label", group: nil),
      classifier: classifier,
      logits: Matrix(
        rows: labels.count, columns: logits.count / labels.count, values: logits),
      distances: nil, threshold: threshold, seed: 0)
  }

  private func classifier(
    _ names: [String], _ activation: Classifier.Activation = .softmax, temperature: Double? = nil
  ) -> Classifier {
    Classifier(
      classNames: names, inputFeatures: 1, hasBias: true, activation: activation, sourceSHA256: "",
      temperature: temperature)
  }

  /// Twice too sure: what fits best beside the file's temperature is 2.
  @Test func calibrationTellsWhatLogitsLack() throws {
    let shares = [0.9, 0.7, 0.3, 0.1]
    var labels: [String] = []
    var logits: [Double] = []
    for share in shares {
      for index in 0..<10 {
        labels.append(Double(index) < share * 10 - 0.5 ? "b" : "a")
        // By the file's temperature of 3, twice the true log odds.
        logits += [0, 3 * 2 * Self.logOdds(share)]
      }
    }
    let found = try evaluation(labels, classifier(["a", "b"], temperature: 3), logits: logits)
    #expect(abs(found.calibration.temperature - 2) < 1e-9)
    #expect(found.calibration.found == [20, 20])
    #expect(abs(found.calibration.expected[0] - 20) < 1e-9)
  }

  private static func logOdds(_ share: Double) -> Double { log(share / (1 - share)) }

  /// One sigmoid output tells its class and the opposite.
  @Test func oneOutputIsTwoClasses() throws {
    let found = try evaluation(
      ["tumour", "not tumour", "tumour"], classifier(["tumour"], .sigmoid), logits: [2, -1, 3])
    #expect(found.judgement.cases.classes == ["not tumour", "tumour"])
    #expect(found.judgement.metrics.confusion == [[1, 0], [0, 2]])
    #expect(abs(found.judgement.probabilities[0, 1] - 0.880797077977882) < 1e-12)
  }

  @Test func whatCannotBeJudgedIsRefused() throws {
    #expect(throws: TrainingError.self) {
      try evaluation(["a", "b"], classifier(["a", "b"], .sigmoid), logits: [1, 2, 3, 4])
    }
    #expect(throws: TrainingError.self) {
      try evaluation(["a", "c"], classifier(["a", "b"]), logits: [1, 2, 3, 4])
    }
    #expect(throws: TrainingError.self) {
      try evaluation(
        ["a", "b", "c"], classifier(["a", "b", "c"]), logits: [Double](repeating: 1, count: 9),
        threshold: .given(0.5))
    }
  }

  @Test func aClassWithoutCasesIsSaid() throws {
    let found = try evaluation(["a", "a"], classifier(["a", "b"]), logits: [1, 2, 3, 4])
    #expect(found.warnings.count == 1 && found.warnings[0].contains("'b'"))
    // A page and text of figures that are none.
    #expect(!found.lines.isEmpty && found.page(provenance: []).html.contains("–"))
  }
}
