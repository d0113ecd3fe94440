// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// A folder of scans.
package struct ScanFolder: Sendable {
  /// How scans lie in a folder.
  package enum Layout: Sendable, Equatable {
    /// In nnU-Net's naming: `case_0000.nii.gz`, `case_0001.nii.gz`, …
    case flat
    /// The same, in folders below too.
    case recursive
    /// BIDS: `sub-01/anat/sub-01_T1w.nii.gz`, the channels told by these suffixes.
    case bids(suffixes: [String])
  }

  let path: String
  let layout: Layout

  private static let depthLimit = 16
  private static let countLimit = 1_000_000

  /// Whether the path is a NIfTI file, or a folder with any.
  var holdsScans: Bool {
    get throws(CaseListError) {
      guard Folder.exists(path) else { return !DICOMCases.mayBeDICOM(path) }
      var scans: [String] = []
      try collect(path, depth: 0, into: &scans)
      return !scans.isEmpty
    }
  }

  /// The cases in the order of their names. Without channel numbers every file is a case, for models of
  /// one channel. What is not complete is a case that cannot be used; other files are left alone.
  func cases(channels: [String]) throws(CaseListError) -> [CaseList.Found] {
    var scans: [String] = []
    try collect(path, depth: 0, into: &scans)
    guard !scans.isEmpty else {
      throw .folder(
        path, problem: "holds no .nii or .nii.gz",
        advice: layout == .flat ? "\(.recursive) looks into the folders below" : nil)
    }
    if case .bids(let suffixes) = layout { return try bids(scans, suffixes, channels) }
    if scans.allSatisfy({ ScanName(path: $0).channel == nil }) {
      guard channels.count == 1 else {
        throw .folder(
          path,
          problem:
            "its files carry no channel numbers, but the model takes \(channels.count) channels",
          advice: "name them case_0000.nii.gz, case_0001.nii.gz, …")
      }
      return scans.map { CaseList.Found(path: $0, source: .scan(files: [$0])) }
    }
    return grouped(scans) { path in
      let name = ScanName(path: path)
      return (name.caseName, name.channel)
    }.map { group in
      let numbers = group.files.map(\.channel)
      let files = group.files.map(\.path)
      guard numbers.allSatisfy({ $0 != nil }) else {
        return CaseList.Found(
          path: files[0],
          source: .unusable(
            .files(
              problem: "\(DisplayText.quoted(files[0])) lacks a channel number such as _0000")))
      }
      guard numbers == numbers.indices.map({ $0 }), numbers.count == channels.count else {
        let found = numbers.map { "\($0 ?? 0)" }.joined(separator: ", ")
        return CaseList.Found(
          path: files[0],
          source: .unusable(
            .files(
              problem:
                "it has channel\(numbers.count == 1 ? "" : "s") \(found) where the model takes "
                + "\(channels.count)",
              advice: "channels are counted 0000, 0001, … and each is there once")))
      }
      return CaseList.Found(path: files[0], source: .scan(files: files))
    }
  }

  private func bids(
    _ scans: [String], _ suffixes: [String], _ channels: [String]
  ) throws(CaseListError) -> [CaseList.Found] {
    let groups = grouped(scans) { path in
      let stem = ScanName(path: path).stem
      guard let line = stem.lastIndex(of: "_") else { return (stem, nil) }
      let suffix = stem[stem.index(after: line)...]
      return (String(stem[..<line]), suffixes.firstIndex { $0 == suffix })
    }
    let found = groups.compactMap { group -> CaseList.Found? in
      let files = group.files.filter { $0.channel != nil }
      guard let first = files.first else { return nil }
      let missing = suffixes.indices.filter { index in !files.contains { $0.channel == index } }
      guard missing.isEmpty, files.count == suffixes.count else {
        let names = missing.map { DisplayText.escaped(suffixes[$0]) }.joined(separator: ", ")
        return CaseList.Found(
          entry: CaseList.Entry(
            name: group.name,
            source: .unusable(.files(problem: "it lacks the image with suffix \(names)"))),
          isNamed: false, path: group.folder + group.name)
      }
      return CaseList.Found(
        entry: CaseList.Entry(name: group.name, source: .scan(files: files.map(\.path))),
        isNamed: false, path: group.folder + (suffixes.count == 1 ? first.stem : group.name))
    }
    guard !found.isEmpty else {
      throw .folder(
        path,
        problem: "no scan in it ends in "
          + suffixes.map { "_\(DisplayText.escaped($0)).nii(.gz)" }.joined(separator: " or "))
    }
    return found
  }

  private typealias Member = (path: String, stem: String, channel: Int?)

  /// Files of one folder and name belong together; those of a group are in the order of their channels.
  private func grouped(
    _ scans: [String], by key: (String) -> (name: String, channel: Int?)
  ) -> [(folder: String, name: String, files: [Member])] {
    let members = scans.map { path in
      (
        folder: path.lastIndex(of: "/").map { String(path[...$0]) } ?? "", key: key(path),
        path: path
      )
    }
    return Dictionary(grouping: members) { "\($0.folder)\u{0}\($0.key.name)" }
      .sorted { $0.key < $1.key }
      .map { _, group in
        let files = group.map { Member($0.path, ScanName(path: $0.path).stem, $0.key.channel) }
          .sorted { ($0.channel ?? -1, $0.path) < ($1.channel ?? -1, $1.path) }
        return (group[0].folder, group[0].key.name, files)
      }
  }

  private func collect(
    _ folder: String, depth: Int, into scans: inout [String]
  ) throws(CaseListError) {
    let names: [String]
    do throws(FileError) { names = try Folder.names(in: folder) } catch { throw .file(error) }
    let prefix = folder.hasSuffix("/") ? folder : folder + "/"
    for name in names {
      if ScanName(path: name).isNIfTI, !Folder.exists(prefix + name) {
        scans.append(prefix + name)
        guard scans.count <= Self.countLimit else {
          throw .folder(path, problem: "holds more than \(Self.countLimit) scans")
        }
      } else if layout != .flat, depth < Self.depthLimit, Folder.exists(prefix + name) {
        try collect(prefix + name, depth: depth + 1, into: &scans)
      }
    }
  }
}
