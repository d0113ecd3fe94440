/// Comma-separated values as RFC 4180 has them.
package enum CSVText {
  /// The fields of every line that is not empty; `nil` where a quote is not closed.
  package static func rows(_ text: String) -> [[String]]? {
    var rows: [[String]] = []
    var row: [String] = []
    var field = ""
    var isQuoted = false
    var isStart = true
    func isEnd(_ character: Character) -> Bool { character == "\n" || character == "\r\n" }
    var characters = Array(text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...])
    if let last = characters.last, !isEnd(last) { characters.append("\n") }
    var index = 0
    while index < characters.count {
      let character = characters[index]
      index += 1
      if isQuoted {
        if character != "\"" {
          field.append(character)
        } else if index < characters.count, characters[index] == "\"" {
          field.append("\"")
          index += 1
        } else {
          isQuoted = false
        }
      } else if character == "\"", isStart {
        isQuoted = true
        isStart = false
      } else if character == "," || isEnd(character) {
        row.append(field)
        field = ""
        isStart = true
        guard isEnd(character) else { continue }
        if row != [""] { rows.append(row) }
        row = []
      } else {
        field.append(character)
        isStart = false
      }
    }
    return isQuoted ? nil : rows
  }

  /// A field as it stands in a line.
  package static func field(_ text: String) -> String {
    guard text.contains(where: { ",\"\r\n".contains($0) || $0 == "\r\n" }) else { return text }
    return "\""
      + text.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }
}
