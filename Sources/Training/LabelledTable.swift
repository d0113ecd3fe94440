// SPDX-License-Identifier: Apache-2.0
package import FileIO
internal import Pipeline

/// A table of cases with their labels: the one that names their scans. Columns that are asked for are found by name; others may be there too.
package struct LabelledTable: Sendable {
  package let path: String
  package let cases: [String]
  package let labels: [String]
  /// The group of every case; `nil` where no column of groups was named and none is called `patient`.
  package let groups: [String]?
  package let identity: MappedFile.Identity
  /// The columns of labels and groups.
  package let columns: [String]

  /// The column of groups where none is named.
  package static let defaultGroupColumn = "patient"

  /// - Parameters:
  ///   - label: the column of labels.
  ///   - group: the column of groups; `nil` for `patient`, where there is one.
  /// - Throws: `CaseListError` where it is no table of cases, or `TrainingError`.
  package init(path: String, label: String, group: String?) throws {
    let table = try CaseRows(path: path)
    func column(_ name: String) throws(TrainingError) -> Int? {
      let found = table.header.indices.filter { table.header[$0].utf8.elementsEqual(name.utf8) }
      guard found.count < 2 else {
        throw .table(path: path, problem: "has two columns \(DisplayText.quoted(name))")
      }
      return found.first
    }
    guard let labelColumn = try column(label) else {
      throw TrainingError.column(path: path, name: label, setting: .labelColumn)
    }
    let groupColumn = try column(group ?? Self.defaultGroupColumn)
    guard group == nil || groupColumn != nil else {
      throw TrainingError.column(path: path, name: group ?? "", setting: .groupColumn)
    }
    guard !table.rows.isEmpty else {
      throw TrainingError.table(path: path, problem: "holds no case")
    }
    self.path = path
    identity = table.identity
    columns = [labelColumn, groupColumn].compactMap { $0 }.map { table.header[$0] }
    let rows = table.rows.map(\.fields)
    cases = rows.map { $0[table.caseColumn] }
    // A blank that nobody sees would make another class or patient.
    labels = rows.map { $0[labelColumn].trimmingSpaces }
    groups = groupColumn.map { column in rows.map { $0[column].trimmingSpaces } }
  }

  /// The cases to learn from.
  package func cohort() throws(TrainingError) -> Cohort {
    try Cohort(cases: cases, labels: labels, groups: groups)
  }
}
