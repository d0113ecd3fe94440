// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// The files of a folder and of those in it, each folder's own first and in the order of their names.
struct FolderFiles: Sendable {
  let folder: StudyFolder
  /// Below the folder; one empty path where it is a file itself.
  let paths: [String]

  init(folder: StudyFolder, paths: [String]) {
    self.folder = folder
    self.paths = paths
  }

  /// Lists them; hidden files and links that lead back are left out.
  init(_ folder: StudyFolder) throws(DICOMError) {
    self.folder = folder
    guard Folder.exists(folder.path) else {
      paths = [""]
      return
    }
    var walk = Walk(root: folder)
    try walk.list("", depth: 0)
    paths = walk.paths
  }

  /// The full path of a file.
  func path(_ index: Int) -> String {
    paths[index].isEmpty ? folder.path : "\(folder.path)/\(paths[index])"
  }

  func place(_ index: Int, instance: String? = nil) -> DICOMPlace {
    paths[index].isEmpty
      ? folder.place
      : .file(
        index: index + 1, count: paths.count, path: path(index), instance: instance,
        study: folder.place.study)
  }

  /// Maps a file; `nil` where it is a pipe, socket or device.
  func map(_ index: Int) throws(DICOMError) -> MappedFile? {
    do throws(FileError) { return try MappedFile(path: path(index)) } catch {
      if case .notARegularFile = error, !paths[index].isEmpty { return nil }
      throw Self.refusal(error).at(place(index))
    }
  }

  /// The study that a file is of, "" where that is not told; `nil` for what is no DICOM image, such as a
  /// directory of them.
  func study(ofFile index: Int) -> String? {
    do throws(DICOMError) {
      guard let file = try map(index), let parsed = try DICOMFile(file.bytes),
        !parsed.isDirectory
      else { return nil }
      return try parsed.dataSet.uid(.studyInstanceUID) ?? ""
    } catch { return error.reason == .file ? nil : "" }
  }

  /// What the file with that number is.
  func content(_ index: Int) throws(DICOMError) -> FileContent {
    guard let file = try map(index) else { return .notDICOM }
    do throws(DICOMError) { return try ImageFile.content(of: file.bytes, index: index) } catch {
      throw error.at(place(index))
    }
  }

  /// The bytes that a file's pixels are counted in.
  func dataSetBytes(_ index: Int) throws(DICOMError) -> Bytes {
    do throws(DICOMError) {
      guard let file = try map(index), let parsed = try DICOMFile(file.bytes) else {
        throw DICOMError(.bytes, "has changed while it was read")
      }
      return parsed.bytes
    } catch { throw error.at(place(index)) }
  }

  /// The system's reason without the path.
  static func refusal(_ error: FileError) -> DICOMError {
    switch error {
    case .cannotOpen(_, let errno), .cannotRead(_, let errno):
      DICOMError(.file, "cannot be read: \(FileError.text(errno))")
    case .notARegularFile(_, let kind):
      DICOMError(.file, "is \(kind), not a folder or file")
    default: DICOMError(.file, "cannot be read")
    }
  }

  private struct Walk {
    let root: StudyFolder
    var paths: [String] = []
    /// Every folder is listed once, however many links lead to it.
    var listed: Set<MappedFile.Identity> = []

    mutating func list(_ folder: String, depth: Int) throws(DICOMError) {
      let path = folder.isEmpty ? root.path : "\(root.path)/\(folder)"
      guard let identity = MappedFile.identity(ofFileAt: path), listed.insert(identity).inserted
      else { return }
      guard depth <= DICOMLimits.folderDepth else {
        throw DICOMError(
          .limit, "has folders nested more than \(DICOMLimits.folderDepth) deep"
        ).at(root.place)
      }
      let names: [String]
      do throws(FileError) { names = try Folder.names(in: path) } catch {
        throw FolderFiles.refusal(error).at(root.place)
      }
      var folders: [String] = []
      for name in names {
        let below = folder.isEmpty ? name : "\(folder)/\(name)"
        if Folder.exists("\(root.path)/\(below)") {
          folders.append(below)
        } else {
          paths.append(below)
        }
        guard paths.count <= DICOMLimits.files else {
          throw DICOMError(.limit, "has more than \(DICOMLimits.files) files")
            .at(root.place)
        }
      }
      for below in folders { try list(below, depth: depth + 1) }
    }
  }
}
