// SPDX-License-Identifier: Apache-2.0
/// Gives the cases of a run names of their own: the shortest part of their paths that tells them apart.
struct CaseNames {
  /// A case whose name follows from the first of its files.
  struct Candidate {
    let path: String
    let name: ScanName

    init(path: String) {
      self.path = path
      name = ScanName(path: path)
    }

    /// From the shortest to the longest: `p`, `p_0001`, `p_0001.nii.gz`, `siteA/p`, `x/siteA/p`, …
    func spelling(_ length: Int) -> String? {
      let components = path.split(separator: "/").map(String.init).filter { $0 != "." }
      switch length {
      case 0: return name.caseName
      case 1: return name.stem
      case 2: return components.last
      default:
        let count = length - 2
        guard count < components.count else { return nil }
        return
          (components.dropLast().suffix(count).map { $0 == ".." ? "up" : $0 }
          + [name.caseName]).joined(separator: "/")
      }
    }
  }

  /// The names in the order of `paths`; `nil` where two paths are the same.
  static func distinct(_ paths: [String]) -> [String]? {
    let candidates = paths.map { Candidate(path: $0) }
    var names = candidates.map(\.name.caseName)
    for (_, group) in Dictionary(grouping: names.indices, by: { names[$0] }) where group.count > 1 {
      guard let spelled = spellings(group.map { candidates[$0] }) else { return nil }
      for (index, name) in zip(group, spelled) { names[index] = name }
    }
    // A longer name may be another case's short one.
    if Set(names).count < names.count {
      guard Set(paths).count == paths.count else { return nil }
      names = paths.map(Self.relative)
    }
    return Set(names).count == names.count ? names : nil
  }

  /// The first spelling under which no two of a group are the same.
  private static func spellings(_ group: [Candidate]) -> [String]? {
    let longest = group.map { $0.path.split(separator: "/").count }.max() ?? 0
    for length in 1..<longest + 2 {
      let spelled = group.map { $0.spelling(length) ?? relative($0.path) }
      if Set(spelled).count == spelled.count { return spelled }
    }
    let paths = group.map { relative($0.path) }
    return Set(paths).count == paths.count ? paths : nil
  }

  /// A path without what would lead out of a folder.
  private static func relative(_ path: String) -> String {
    path.split(separator: "/").filter { $0 != "." }.map { $0 == ".." ? "up" : String($0) }
      .joined(separator: "/")
  }

  /// Whether a file of that name stays in the folder that it is put in.
  static func isContained(_ name: String) -> Bool {
    let components = name.split(separator: "/", omittingEmptySubsequences: false)
    return !name.isEmpty && !name.utf8.contains(0)
      && components.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 200 }
  }
}
