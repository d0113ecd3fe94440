import FileIO

/// A folder of scans in nnU-Net's naming: `case_0000.nii.gz`, `case_0001.nii.gz`, …
struct ScanFolder {
  let path: String

  /// The cases in the order of their names. Without channel numbers every file is a case, for models
  /// of one channel.
  func cases(channelCount: Int) throws -> [CaseList.Entry] {
    let names = try Folder.names(in: path)
    let scans = names.map { (file: $0, name: ScanName(path: $0)) }.filter(\.name.isNIfTI)
    guard !scans.isEmpty else { throw InputError.folder(path, problem: "holds no .nii or .nii.gz") }
    let folder = path.hasSuffix("/") ? path : path + "/"
    if scans.allSatisfy({ $0.name.channel == nil }) {
      guard channelCount == 1 else {
        throw InputError.folder(
          path,
          problem:
            "its files carry no channel numbers, but the model takes \(channelCount) channels "
            + "— name them case_0000.nii.gz, case_0001.nii.gz, …")
      }
      return scans.map {
        CaseList.Entry(name: $0.name.caseName, source: .scan(files: [folder + $0.file]))
      }
    }
    if let odd = scans.first(where: { $0.name.channel == nil }) {
      throw InputError.folder(
        path, problem: "\(DisplayText.quoted(odd.file)) lacks a channel number such as _0000")
    }
    var entries: [CaseList.Entry] = []
    for (name, group) in Dictionary(grouping: scans, by: \.name.caseName)
      .sorted(by: { $0.key < $1.key })
    {
      let channels = group.sorted { ($0.name.channel ?? 0) < ($1.name.channel ?? 0) }
      guard channels.map(\.name.channel) == channels.indices.map({ $0 }) else {
        throw InputError.folder(
          path,
          problem: "case \(DisplayText.quoted(name)) has channels "
            + channels.map { "\($0.name.channel ?? 0)" }.joined(separator: ", ")
            + " — they are counted 0000, 0001, … and each is there once")
      }
      entries.append(
        CaseList.Entry(name: name, source: .scan(files: channels.map { folder + $0.file })))
    }
    return entries
  }
}
