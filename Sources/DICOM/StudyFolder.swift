// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// A folder of one study, or one file.
package struct StudyFolder: Sendable, Equatable {
  package let path: String
  /// How messages call it.
  let place: DICOMPlace

  package init(_ path: String) {
    self.init(path, place: .folder(path))
  }

  init(_ path: String, place: DICOMPlace) {
    self.path = path
    self.place = place
  }

  /// The studies in a folder: the folder itself where files of a study lie in it, or where all folders
  /// below are of one; else the studies of those folders. None where nothing in it is DICOM.
  package static func studies(in path: String) throws(DICOMError) -> [StudyFolder] {
    let root = StudyFolder(path)
    guard Folder.exists(path) else {
      let files = try FolderFiles(root)
      return files.study(ofFile: 0) == nil ? [] : [root]
    }
    let paths = try studyPaths(in: path, root: root, depth: 0)
    guard paths != [path] else { return [root] }
    return paths.enumerated().map { index, path in
      StudyFolder(path, place: .study(index: index + 1, count: paths.count, path: path))
    }
  }

  private static func studyPaths(
    in path: String, root: StudyFolder, depth: Int
  ) throws(DICOMError) -> [String] {
    guard depth <= DICOMLimits.folderDepth else { return [] }
    let names: [String]
    do throws(FileError) { names = try Folder.names(in: path) } catch {
      throw FolderFiles.refusal(error).at(root.place)
    }
    let folders = names.map { "\(path)/\($0)" }.filter(Folder.exists)
    let files = FolderFiles(
      folder: StudyFolder(path, place: root.place),
      paths: names.filter { !Folder.exists("\(path)/\($0)") })
    guard !files.paths.indices.contains(where: { files.study(ofFile: $0) != nil }) else {
      return [path]
    }
    var studies: Set<String> = []
    var holding: [String] = []
    for folder in folders {
      let files = try FolderFiles(StudyFolder(folder, place: root.place))
      let study = files.paths.indices.lazy.compactMap { files.study(ofFile: $0) }.first
      guard let study else { continue }
      studies.insert(study)
      holding.append(folder)
    }
    guard studies.count > 1 else { return studies.isEmpty ? [] : [path] }
    var result: [String] = []
    for folder in holding { result += try studyPaths(in: folder, root: root, depth: depth + 1) }
    return result
  }
}
