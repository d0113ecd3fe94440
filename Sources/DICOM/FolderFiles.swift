internal import FileIO

/// The files of a folder and of those in it, each folder's own first and in the order of their names.
struct FolderFiles: Sendable {
  let folder: String
  /// Below the folder; one empty path where it is a file itself.
  let paths: [String]

  init(folder: String, paths: [String]) {
    self.folder = folder
    self.paths = paths
  }

  /// Lists them; hidden files and links that lead back are left out.
  init(_ folder: String) throws(DICOMError) {
    self.folder = folder
    guard Folder.exists(folder) else {
      paths = [""]
      return
    }
    var walk = Walk(root: folder)
    try walk.list("", depth: 0)
    paths = walk.paths
  }

  /// The full path of a file.
  func path(_ index: Int) -> String {
    paths[index].isEmpty ? folder : "\(folder)/\(paths[index])"
  }

  func place(_ index: Int, instance: String? = nil) -> DICOMPlace {
    paths[index].isEmpty
      ? .folder(folder)
      : .file(index: index + 1, count: paths.count, path: paths[index], instance: instance)
  }

  /// Maps a file; `nil` where it is a pipe, socket or device.
  func map(_ index: Int) throws(DICOMError) -> MappedFile? {
    do throws(FileError) { return try MappedFile(path: path(index)) } catch {
      if case .notARegularFile = error, !paths[index].isEmpty { return nil }
      throw DICOMError(.file, Self.problem(error)).at(place(index))
    }
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
  private static func problem(_ error: FileError) -> String {
    switch error {
    case .cannotOpen(_, let errno), .cannotRead(_, let errno):
      "cannot be read: \(FileError.text(errno))"
    case .notARegularFile(_, let kind): "is \(kind), not a folder or file"
    default: "cannot be read"
    }
  }

  private struct Walk {
    let root: String
    var paths: [String] = []
    /// Every folder is listed once, however many links lead to it.
    var listed: Set<MappedFile.Identity> = []

    mutating func list(_ folder: String, depth: Int) throws(DICOMError) {
      let path = folder.isEmpty ? root : "\(root)/\(folder)"
      guard let identity = MappedFile.identity(ofFileAt: path), listed.insert(identity).inserted
      else { return }
      guard depth <= DICOMLimits.folderDepth else {
        throw DICOMError(
          .limit, "has folders nested more than \(DICOMLimits.folderDepth) deep"
        ).at(.folder(root))
      }
      let names: [String]
      do throws(FileError) { names = try Folder.names(in: path) } catch {
        let problem = FolderFiles.problem(error)
        throw DICOMError(.file, folder.isEmpty ? problem : "a folder in it \(problem)")
          .at(.folder(root))
      }
      var folders: [String] = []
      for name in names {
        let below = folder.isEmpty ? name : "\(folder)/\(name)"
        if Folder.exists("\(root)/\(below)") { folders.append(below) } else { paths.append(below) }
        guard paths.count <= DICOMLimits.files else {
          throw DICOMError(.limit, "has more than \(DICOMLimits.files) files")
            .at(.folder(root))
        }
      }
      for below in folders { try list(below, depth: depth + 1) }
    }
  }
}
