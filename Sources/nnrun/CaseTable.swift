import FileIO

/// A CSV of cases (RFC 4180): a header whose first column is `case`, then one file per channel.
/// File names are relative to the table.
struct CaseTable {
  let entries: [CaseList.Entry]

  init(path: String) throws {
    guard let text = try MappedFile(path: path).bytes.utf8 else {
      throw InputError.table(path, problem: "is no UTF-8 text")
    }
    guard let rows = CSVText.rows(text) else {
      throw InputError.table(path, problem: "has an unfinished quote")
    }
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
}
