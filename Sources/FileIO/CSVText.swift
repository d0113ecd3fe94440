// SPDX-License-Identifier: Apache-2.0
/// Tables of texts as spreadsheets write them (RFC 4180): commas, semicolons or tabs between fields, quotes around
/// those that hold any of them or line breaks.
package enum CSVText {
  /// A row, with the line that it starts on.
  package struct Row: Sendable, Equatable {
    package let line: Int
    package let fields: [String]
  }

  /// A quote in the row of that line is not closed.
  package struct UnfinishedQuote: Error, Equatable {
    package let line: Int
  }

  /// The rows that are not empty; the first one tells what separates fields.
  package static func parse(_ text: String) throws(UnfinishedQuote) -> [Row] {
    var parser = Parser(text)
    return try parser.parse()
  }

  /// The fields of every row; `nil` where a quote is not closed.
  package static func rows(_ text: String) -> [[String]]? {
    (try? parse(text))?.map(\.fields)
  }

  /// A field as it stands in a table of commas.
  package static func field(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { ",;\"\r\n\t".unicodeScalars.contains($0) }) else {
      return text
    }
    return "\""
      + text.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }

  /// A row as it stands in a table of commas, without its line break.
  package static func row(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") }

  /// Goes through the text scalar by scalar: `\r\n` is one character to Swift, but may be two here.
  private struct Parser {
    private let text: ArraySlice<Unicode.Scalar>
    private let separator: Unicode.Scalar
    private var rows: [Row] = []
    private var fields: [String] = []
    private var field = String.UnicodeScalarView()
    private var isQuoted = false
    /// Whether no character of the field has come.
    private var isStart = true
    private var line = 1
    /// Where the row began.
    private var first = 1

    init(_ text: String) {
      let scalars = Array(text.unicodeScalars)
      self.text = scalars.first == "\u{FEFF}" ? scalars.dropFirst() : scalars[...]
      let header = self.text.prefix { $0 != "\n" && $0 != "\r" }
      func count(_ scalar: Unicode.Scalar) -> Int {
        header.reduce(0) { $0 + ($1 == scalar ? 1 : 0) }
      }
      separator = [",", ";", "\t"].max { count($0) < count($1) } ?? ","
    }

    mutating func parse() throws(UnfinishedQuote) -> [Row] {
      var index = text.startIndex
      while index < text.endIndex {
        let scalar = text[index]
        let next = index + 1 < text.endIndex ? text[index + 1] : nil
        // Of `\r\n` the second counts.
        let isLineEnd = scalar == "\n" || (scalar == "\r" && next != "\n")
        if isLineEnd { line += 1 }
        if isQuoted {
          if scalar != "\"" {
            field.append(scalar)
          } else if next == "\"" {
            field.append(scalar)
            index += 1
          } else {
            isQuoted = false
          }
        } else if scalar == "\"", isStart {
          (isQuoted, isStart) = (true, false)
        } else if scalar == separator {
          finishField()
        } else if isLineEnd {
          finishRow()
        } else if scalar != "\r" {
          field.append(scalar)
          isStart = false
        }
        index += 1
      }
      guard !isQuoted else { throw UnfinishedQuote(line: first) }
      if !fields.isEmpty || !field.isEmpty { finishRow() }
      return rows
    }

    private mutating func finishField() {
      fields.append(String(field))
      field = String.UnicodeScalarView()
      isStart = true
    }

    private mutating func finishRow() {
      finishField()
      if fields != [""] { rows.append(Row(line: first, fields: fields)) }
      fields = []
      first = line
    }
  }
}
