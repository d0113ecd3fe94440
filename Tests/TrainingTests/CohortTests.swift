// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Training

/// What is refused before any work, and what is warned about.
@Suite struct CohortTests {
  private static let patients = ["p1", "p1", "p2", "p3", "p4", "p5"]
  private static let labels = ["a", "a", "b", "a", "b", "b"]

  private func cohort(
    labels: [String] = labels, groups: [String]? = patients,
    cases: [String] = ["1", "2", "3", "4", "5", "6"]
  ) throws -> Cohort {
    try Cohort(cases: cases, labels: labels, groups: groups)
  }

  @Test func oneClassIsRefused() {
    #expect(throws: TrainingError.classes(["a"])) {
      try cohort(labels: ["a", "a", "a", "a", "a", "a"])
    }
  }

  @Test func aClassOfOneGroupIsRefused() {
    #expect(throws: TrainingError.groups(className: "b", count: 1)) {
      try cohort(labels: ["b", "b", "a", "a", "a", "a"])
    }
  }

  @Test func moreFoldsThanGroupsAreRefused() throws {
    #expect(throws: TrainingError.folds(6, groups: 5)) { try cohort().folds(6) }
  }

  @Test func aCaseMayNotBeThereTwiceNorLackALabelOrGroup() {
    #expect(throws: TrainingError.duplicateCase("1")) {
      try cohort(cases: ["1", "2", "3", "1", "5", "6"])
    }
    #expect(throws: TrainingError.missing(case: "3", problem: "has no label")) {
      try cohort(labels: ["a", "a", "", "a", "b", "b"])
    }
    #expect(throws: TrainingError.missing(case: "6", problem: "has no group")) {
      try cohort(groups: ["p1", "p1", "p2", "p3", "p4", ""])
    }
  }

  @Test func featuresThatAreNoNumbersAreRefused() throws {
    let cohort = try cohort()
    var features = Matrix(rows: 6, columns: 2, values: (0..<12).map(Double.init))
    features[3, 1] = .nan
    var settings = CrossValidation.Settings()
    settings.folds = 2
    #expect(throws: TrainingError.nonFinite(case: "4", feature: 1)) {
      try HeadTraining(
        features: features,
        candidates: [CrossValidation.Candidate(name: "all", columns: [0, 1])], cohort: cohort,
        settings: settings, seed: 0)
    }
  }

  @Test(arguments: [
    (["a", "a", "b", "a", "b", "b"], patients, 4, "fewer than the 4 folds"),
    (["a", "b", "b", "a", "b", "a"], patients, 2, "several classes"),
    (["0", "0", "1", "0", "1", "1"], patients, 2, "look like numbers"),
  ])
  func oddThingsAreTold(labels: [String], groups: [String], folds: Int, word: String) throws {
    let warnings = try cohort(labels: labels, groups: groups).warnings(folds: folds)
    #expect(warnings.contains { $0.contains(word) }, "\(warnings)")
  }

  @Test func classesAreInCodePointOrder() throws {
    let cohort = try cohort(labels: ["é", "é", "e\u{301}", "é", "e\u{301}", "e\u{301}"])
    #expect(cohort.classes.map { Array($0.utf8) } == [Array("e\u{301}".utf8), Array("é".utf8)])
    #expect(try self.cohort(labels: ["10", "10", "9", "10", "9", "9"]).classes == ["10", "9"])
  }

  /// A training part may lack a class; the head of that fold then gives it no probability.
  @Test func aFoldWithoutAClassIsEvaluated() throws {
    let cohort = try Cohort(
      cases: (0..<8).map { "\($0)" }, labels: ["a", "a", "a", "b", "b", "b", "c", "c"])
    var settings = CrossValidation.Settings()
    settings.folds = 4
    let features = Matrix(
      rows: 8, columns: 2, values: [0, 0, 1, 0, 0, 1, 5, 5, 6, 5, 5, 6, 9, 0, 9, 1])
    let head = try HeadTraining(
      features: features, candidates: [CrossValidation.Candidate(name: "all", columns: [0, 1])],
      cohort: cohort, settings: settings, seed: 0)
    #expect(head.judgement.probabilities.values.allSatisfy { $0.isFinite })
    #expect(head.weight.values.allSatisfy { $0.isFinite })
    #expect(head.temperature.isFinite)
  }
}
