// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// A table of cases (CSV) as it is read: a header with a column `case`, and rows as wide as it.
package struct CaseRows: Sendable {
  package let header: [String]
  package let rows: [CSVText.Row]
  package let caseColumn: Int
  package let identity: MappedFile.Identity

  /// - Throws: `CaseListError.file`, or `table`.
  package init(path: String) throws(CaseListError) {
    let file: MappedFile
    do throws(FileError) { file = try MappedFile(path: path) } catch { throw .file(error) }
    identity = file.identity
    guard let text = file.bytes.utf8 else {
      throw .table(path, problem: "is no UTF-8 text", advice: "export it as CSV UTF-8")
    }
    let table: [CSVText.Row]
    do throws(CSVText.UnfinishedQuote) { table = try CSVText.parse(text) } catch {
      throw .table(path, problem: "has an unfinished quote in the row of line \(error.line)")
    }
    header = table.first?.fields.map { $0.trimmingSpaces } ?? []
    rows = Array(table.dropFirst())
    guard let caseColumn = header.firstIndex(where: { $0.lowercased() == "case" }) else {
      throw .table(
        path, problem: "lacks a column 'case'",
        advice: "write one into its first line, before the columns of files")
    }
    self.caseColumn = caseColumn
    for row in rows where row.fields.count != header.count {
      throw .table(
        path,
        problem: "line \(row.line) has \(row.fields.count) columns instead of \(header.count)",
        advice: "put quotes around a field that holds the separator")
    }
  }
}

extension String {
  /// Without blanks at both ends.
  package var trimmingSpaces: String {
    // Byte by byte: characters of a header of many columns take seconds.
    let space = UInt8(ascii: " ")
    let start = utf8.drop { $0 == space }
    guard let last = start.lastIndex(where: { $0 != space }) else { return "" }
    return String(Substring(start[...last]))
  }
}
