// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// A table of cases with their labels: CSV (RFC 4180) with a header whose first column is `case`.
/// Columns that are asked for are found by name; others may be there too.
package struct LabelledTable: Sendable {
  package let path: String
  package let cases: [String]
  package let labels: [String]
  /// The group of every case; `nil` where no column of groups was named and none is called `patient`.
  package let groups: [String]?
  package let identity: MappedFile.Identity

  /// The column of groups where none is named.
  package static let defaultGroupColumn = "patient"

  /// - Parameters:
  ///   - label: the column of labels.
  ///   - group: the column of groups; `nil` for `patient`, where there is one.
  /// - Throws: `TrainingError.table`, `FileError`.
  package init(path: String, label: String, group: String?) throws {
    let file = try MappedFile(path: path)
    func problem(_ text: String) -> TrainingError { .table(path: path, problem: text) }
    guard let text = file.bytes.utf8 else { throw problem("is no UTF-8 text") }
    guard let rows = CSVText.rows(text) else { throw problem("has an unfinished quote") }
    guard let header = rows.first, header.first?.lowercased() == "case" else {
      throw problem("lacks a header — write 'case,…,\(label)' in its first line")
    }
    func column(_ name: String) throws -> Int? {
      let found = header.indices.filter { header[$0].utf8.elementsEqual(name.utf8) }
      guard found.count < 2 else {
        throw problem("has two columns \(DisplayText.quoted(name))")
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
    for (number, row) in rows.enumerated() where row.count != header.count {
      throw problem("row \(number + 1) has \(row.count) columns instead of \(header.count)")
    }
    let body = rows.dropFirst()
    guard !body.isEmpty else { throw problem("holds no case") }
    self.path = path
    identity = file.identity
    cases = body.map { $0[0] }
    labels = body.map { $0[labelColumn] }
    groups = groupColumn.map { column in body.map { $0[column] } }
  }

  /// The cases to learn from.
  package func cohort() throws(TrainingError) -> Cohort {
    try Cohort(cases: cases, labels: labels, groups: groups)
  }
}
