import FileIO

/// A CSV of cases (RFC 4180): a header whose first column is `case`, then one file per channel.
/// File names are relative to the table.
struct CaseTable {
  let entries: [CaseList.Entry]

  init(path: String) throws {
    guard let text = try MappedFile(path: path).bytes.utf8 else {
      throw InputError.table(path, problem: "is no UTF-8 text")
    }
    let rows = try Self.rows(text, path: path)
    guard let header = rows.first, header.first?.lowercased() == "case", header.count > 1 else {
      throw InputError.table(
        path, problem: "lacks a header — write 'case,<channel>,…' in its first line")
    }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    var entries: [CaseList.Entry] = []
    for (number, row) in rows.enumerated().dropFirst() {
      guard row.count == header.count else {
        throw InputError.table(
          path, problem: "row \(number + 1) has \(row.count) columns instead of \(header.count)")
      }
      let files = row.dropFirst().map { $0.hasPrefix("/") ? $0 : folder + $0 }
      let isArray = files.count == 1 && files[0].lowercased().hasSuffix(".npy")
      entries.append(
        CaseList.Entry(
          name: row[0], source: isArray ? .array(path: files[0]) : .scan(files: Array(files))))
    }
    self.entries = entries
  }

  private static func rows(_ text: String, path: String) throws -> [[String]] {
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
    guard !isQuoted else { throw InputError.table(path, problem: "has an unfinished quote") }
    return rows
  }

  /// A field as it stands in a table.
  static func field(_ text: String) -> String {
    guard text.contains(where: { ",\"\r\n".contains($0) || $0 == "\r\n" }) else { return text }
    return "\""
      + text.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }
}
