// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat

/// Cases with their classes and groups (patients), in table order, and what is odd about them.
package struct Cohort: Sendable {
  package let cases: [String]
  /// Names of the classes in code-point order.
  package let classes: [String]
  /// The class of every case.
  package let labels: [Int]
  /// Names of the groups in code-point order.
  package let groupNames: [String]
  /// The group of every case.
  package let groups: [Int]

  /// - Parameters:
  ///   - labels: the class's name of every case.
  ///   - groups: the group's name of every case; `nil` where every case is one.
  /// - Throws: `TrainingError` where there are not two classes of two groups, or a case is there twice.
  package init(
    cases: [String], labels: [String], groups: [String]? = nil
  ) throws(TrainingError) {
    var seen: Set<[UInt8]> = []
    for (name, label) in zip(cases, labels) {
      guard seen.insert(Array(name.utf8)).inserted else { throw .duplicateCase(name) }
      guard !label.isEmpty else { throw .missing(case: name, problem: "has no label") }
      if let problem = Classifier.problem(ofClassName: label) {
        throw .missing(case: name, problem: "has a label that \(problem)")
      }
    }
    for (name, group) in zip(cases, groups ?? []) where group.isEmpty {
      throw .missing(case: name, problem: "has no group")
    }
    self.cases = cases
    (classes, self.labels) = Self.ranked(labels)
    (groupNames, self.groups) = Self.ranked(groups ?? cases)
    guard classes.count >= 2 else { throw .classes(classes) }
    for (index, name) in classes.enumerated() {
      let count = groupCount(ofClass: index)
      guard count >= 2 else { throw .groups(className: name, count: count) }
    }
  }

  /// Texts in code-point order without repetition, and the position of each of `texts` among them.
  static func ranked(_ texts: [String]) -> (names: [String], ranks: [Int]) {
    // UTF-8 sorts as code points do; Swift's own order is that of canonical equivalence.
    let sorted = Set(texts.map { Array($0.utf8) }).sorted { $0.lexicographicallyPrecedes($1) }
    let rank = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, $0) })
    return (
      sorted.map { String(decoding: $0, as: UTF8.self) }, texts.map { rank[Array($0.utf8)] ?? 0 }
    )
  }

  /// The number of groups that have a case of a class.
  package func groupCount(ofClass label: Int) -> Int {
    Set(zip(labels, groups).filter { $0.0 == label }.map(\.1)).count
  }

  /// The number of cases of every class.
  package var casesPerClass: [Int] {
    classes.indices.map { label in labels.count { $0 == label } }
  }

  /// The test fold of every case.
  ///
  /// - Throws: `TrainingError.folds` where there are fewer groups than folds.
  package func folds(_ count: Int) throws(TrainingError) -> [Int] {
    guard count <= groupNames.count else { throw .folds(count, groups: groupNames.count) }
    return StratifiedGroupFolds.make(labels: labels, groups: groups, count: count)
  }

  /// What a user should know of the cases, once each.
  package func warnings(folds: Int) -> [String] {
    var result: [String] = []
    for (index, name) in classes.enumerated() {
      let count = groupCount(ofClass: index)
      if count < folds {
        result.append(
          "class \(DisplayText.quoted(name)) has \(count) groups, fewer than the \(folds) folds: "
            + "some folds have no case of it")
      }
    }
    let mixed = groupNames.indices.filter { group in
      Set(zip(labels, groups).filter { $0.1 == group }.map(\.0)).count > 1
    }
    if let first = mixed.first {
      result.append(
        "\(mixed.count) group\(mixed.count == 1 ? "" : "s") (such as "
          + "\(DisplayText.quoted(groupNames[first]))) have cases of several classes")
    }
    if classes.allSatisfy({ Double($0) != nil }) {
      result.append(
        "the labels look like numbers; they are taken as text, in code-point order: "
          + classes.map { DisplayText.escaped($0) }.joined(separator: ", "))
    }
    return result
  }
}
