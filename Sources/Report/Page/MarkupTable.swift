// SPDX-License-Identifier: Apache-2.0
/// A table in a page.
package struct MarkupTable {
  /// How a column is set.
  package enum Column {
    case text(String)
    case number(String)
    /// Text that is broken into lines.
    case wide(String)
    /// The address of a picture, or nothing.
    case picture(String)
  }

  private let columns: [Column]
  private let rows: [[String]]

  /// Every row has as many cells as there are columns.
  package init(columns: [Column], rows: [[String]]) {
    self.columns = columns
    self.rows = rows
  }

  var markup: String {
    let head = columns.map { column in
      switch column {
      case .text(let name), .wide(let name), .picture(let name): "<th>\(Markup.escaped(name))</th>"
      case .number(let name): "<th class=\"number\">\(Markup.escaped(name))</th>"
      }
    }
    let body = rows.map { row in
      "<tr>"
        + zip(columns, row).map { column, cell in
          switch column {
          case .text: "<td>\(Markup.escaped(cell))</td>"
          case .number: "<td class=\"number\">\(Markup.escaped(cell))</td>"
          case .wide: "<td class=\"wide\">\(Markup.escaped(cell))</td>"
          case .picture:
            cell.isEmpty ? "<td></td>" : "<td><img src=\"\(Markup.escaped(cell))\" alt=\"\"></td>"
          }
        }.joined() + "</tr>"
    }
    return "<div class=\"scroll\"><table>\n<thead><tr>\(head.joined())</tr></thead>\n<tbody>\n"
      + body.joined(separator: "\n") + "\n</tbody></table></div>\n"
  }
}
