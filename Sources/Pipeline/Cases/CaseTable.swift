// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// A table of cases (CSV): a column `case`, a column for every channel, and any others, which are kept as they
/// are. File names are relative to the table.
///
/// A channel's column is called as the channel is, or `channel_0`, or `0`; with one channel also `file`,
/// `image` or `path`. A cell may be a folder of DICOM files; a column `study` or `folder` holds those of all
/// channels, and a column `series` names series of them, each as `UID` or `CHANNEL=UID`.
package struct CaseTable: Sendable {
  package let entries: [CaseList.Entry]
  /// What the user should know, one line each.
  package let notes: [String]

  private static let single = ["file", "image", "path"]

  private static let study = ["study", "folder"]

  /// - Parameters:
  ///   - channels: the names of the model's channels.
  ///   - dicom: what the user says about DICOM.
  ///   - used: columns that the caller reads itself.
  package init(
    path: String, channels: [String], dicom: DICOMChoice = DICOMChoice(), used: [String] = []
  ) throws(CaseListError) {
    let table = try CaseRows(path: path)
    let (header, rows, caseColumn) = (table.header, table.rows, table.caseColumn)
    let columns = try Self.columns(header, rows, caseColumn, channels: channels, path: path)
    let others = header.indices.filter { $0 != caseColumn && !columns.contains($0) }
    let seriesColumn = others.first { header[$0].lowercased() == "series" }
    var lines: [String: Int] = [:]
    var entries: [CaseList.Entry] = []
    for row in rows {
      let name = row.fields[caseColumn]
      guard CaseNames.isContained(name) else {
        throw .name(name, place: "\(DisplayText.quoted(path)), line \(row.line)")
      }
      if let first = lines.updateValue(row.line, forKey: name) {
        throw .sameName(name, place: "\(DisplayText.quoted(path)), lines \(first) and \(row.line)")
      }
      let fields = Dictionary(
        others.map { (header[$0], row.fields[$0]) }, uniquingKeysWith: { first, _ in first })
      let named = seriesColumn.map { row.fields[$0].split(separator: " ").map(String.init) } ?? []
      let choice =
        named.isEmpty ? dicom : DICOMChoice(series: named, convention: dicom.convention)
      entries.append(
        CaseList.Entry(
          name: name,
          source: Self.source(row.fields, columns, header, path, channels, choice),
          fields: fields))
    }
    self.entries = entries
    let isDICOM = entries.contains(where: \.isDICOM)
    let untold = others.filter { !isDICOM || $0 != seriesColumn }.map { header[$0] }
    notes = Self.notes(untold.filter { !used.contains($0) }, path: path)
  }

  private static func notes(_ others: [String], path: String) -> [String] {
    guard !others.isEmpty else { return [] }
    let names = others.map { DisplayText.quoted($0) }.joined(separator: ", ")
    let verb = others.count == 1 ? " is no image and is" : " are no images and are"
    return ["\(DisplayText.quoted(path)): \(names)\(verb) left alone"]
  }

  private static func source(
    _ fields: [String], _ columns: [Int], _ header: [String], _ path: String,
    _ channels: [String], _ choice: DICOMChoice
  ) -> CaseList.Source {
    if let empty = columns.first(where: { fields[$0].trimmingSpaces.isEmpty }) {
      return .unusable(
        .files(problem: "the table names no file in column \(DisplayText.quoted(header[empty]))"))
    }
    let files = columns.map { resolved(fields[$0], beside: path) }
    return CaseList.Source(files: files, channels: channels, dicom: choice)
  }

  /// File names are relative to the table.
  private static func resolved(_ file: String, beside table: String) -> String {
    guard !file.hasPrefix("/"), let slash = table.lastIndex(of: "/") else { return file }
    return table[...slash] + file
  }

  /// The columns of the channels, in the model's order.
  private static func columns(
    _ header: [String], _ rows: [CSVText.Row], _ caseColumn: Int, channels: [String], path: String
  ) throws(CaseListError) -> [Int] {
    func columns(_ names: [String]) -> [Int] {
      header.indices.filter { $0 != caseColumn && names.contains(header[$0].lowercased()) }
    }
    func holdsOnly(_ endings: [String], _ column: Int) -> Bool {
      let values = rows.map { $0.fields[column].lowercased() }
      return !values.isEmpty
        && values.allSatisfy { value in endings.contains { value.hasSuffix($0) } }
    }
    var found: [Int] = []
    for (index, channel) in channels.enumerated() {
      var names = [channel.lowercased(), "channel_\(index)", "\(index)"]
      if channels.count == 1 { names += single }
      let matching = columns(names)
      guard matching.count <= 1 else {
        throw .table(
          path,
          problem: "has several columns for channel \(index) (\(DisplayText.escaped(channel))): "
            + matching.map { DisplayText.quoted(header[$0]) }.joined(separator: ", "),
          advice: "keep one of them")
      }
      found += matching
    }
    // Arrays hold all channels.
    if found.isEmpty, let array = columns(single + ["array"]).first, holdsOnly([".npy"], array) {
      found = [array]
    } else if found.isEmpty, let study = columns(study).first,
      rows.contains(where: { Folder.exists(Self.resolved($0.fields[study], beside: path)) })
    {
      found = [study]
    } else if found.count < channels.count {
      throw .table(
        path,
        problem:
          "lacks a column for every channel (\(channels.map(DisplayText.escaped).joined(separator: ", ")))",
        advice: "name the columns of files so, or channel_0, channel_1, …"
      )
    }
    let stray = header.indices.first { column in
      column != caseColumn && !found.contains(column)
        && rows.contains { row in
          [".nii", ".nii.gz", ".npy"].contains { row.fields[column].lowercased().hasSuffix($0) }
        }
    }
    if let stray {
      throw .table(
        path,
        problem:
          "column \(DisplayText.quoted(header[stray])) names images, but no channel is called so "
          + "(\(channels.map(DisplayText.escaped).joined(separator: ", ")))",
        advice: "call it as the channel, or channel_0, channel_1, …, or take it out")
    }
    return found
  }
}
