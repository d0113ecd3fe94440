// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// A table for people: columns as wide as their widest cell.
package struct TextTable {
  private let header: [String]
  private let rows: [[String]]

  package init(header: [String], rows: [[String]]) {
    self.header = header
    self.rows = rows
  }

  package var text: String {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
      let line = zip(row, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.count)
      }.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }
}

extension TextTable {
  /// A label and a text per line, the texts aligned.
  package static func labelled(_ rows: [[String]]) -> String {
    let width = (rows.map { $0[0].count }.max() ?? 0) + 2
    return rows.map {
      "\($0[0])\(String(repeating: " ", count: width - $0[0].count))"
        + "\(DisplayText.escaped($0[1]))\n"
    }.joined()
  }
}
