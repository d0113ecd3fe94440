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

  /// Goes through the text byte by byte: whatever means something is ASCII.
  private struct Parser {
    private let text: ArraySlice<UInt8>
    private let separator: UInt8
    private var rows: [Row] = []
    private var fields: [String] = []
    private var field: [UInt8] = []
    private var isQuoted = false
    /// Whether no character of the field has come.
    private var isStart = true
    private var line = 1
    /// Where the row began.
    private var first = 1

    init(_ text: String) {
      let bytes = Array(text.utf8)
      let mark = Array("\u{FEFF}".utf8)
      self.text = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...]
      let header = self.text.prefix { $0 != Self.lineFeed && $0 != Self.carriageReturn }
      func count(_ byte: UInt8) -> Int { header.reduce(0) { $0 + ($1 == byte ? 1 : 0) } }
      separator = Self.separators.max { count($0) < count($1) } ?? Self.separators[0]
    }

    private static let (lineFeed, carriageReturn) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
    private static let quote = UInt8(ascii: "\"")
    private static let separators = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")]

    mutating func parse() throws(UnfinishedQuote) -> [Row] {
      var index = text.startIndex
      while index < text.endIndex {
        let byte = text[index]
        let next = index + 1 < text.endIndex ? text[index + 1] : nil
        // Of `\r\n` the second counts.
        let isLineEnd =
          byte == Self.lineFeed || (byte == Self.carriageReturn && next != Self.lineFeed)
        if isLineEnd { line += 1 }
        if isQuoted {
          if byte != Self.quote {
            field.append(byte)
          } else if next == Self.quote {
            field.append(byte)
            index += 1
          } else {
            isQuoted = false
          }
        } else if byte == Self.quote, isStart {
          (isQuoted, isStart) = (true, false)
        } else if byte == separator {
          finishField()
        } else if isLineEnd {
          finishRow()
        } else if byte != Self.carriageReturn {
          field.append(byte)
          isStart = false
        }
        index += 1
      }
      guard !isQuoted else { throw UnfinishedQuote(line: first) }
      if !fields.isEmpty || !field.isEmpty { finishRow() }
      return rows
    }

    private mutating func finishField() {
      fields.append(String(decoding: field, as: UTF8.self))
      field.removeAll(keepingCapacity: true)
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
