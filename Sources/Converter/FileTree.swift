// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import PickleReader

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The files below a folder or in an archive, by their relative paths.
struct FileTree {
  /// Names of all files, sorted; `a/b/c`.
  let paths: [String]
  /// The folder's full path; empty for an archive.
  let name: String
  private let source: Source

  private enum Source {
    case folder(String)
    case archive(ZipArchive, MappedFile.Identity)
  }

  private static let depthLimit = 5
  private static let pathLimit = 1024
  private static let countLimit = 100_000

  /// A folder on disk. Symbolic links to folders are not followed.
  init(folder: String) throws {
    var paths: [String] = []
    try Self.list(folder, prefix: "", depth: 0, into: &paths)
    self.paths = paths.sorted()
    // `.` and `..` have no names of their own.
    name =
      realpath(folder, nil).map { resolved in
        defer { free(resolved) }
        return String(cString: resolved)
      } ?? folder
    source = .folder(folder)
  }

  /// A zip archive, such as `nnUNetv2_export_model_to_zip` writes.
  init(archive: ZipArchive, identity: MappedFile.Identity) {
    paths = archive.entries.map(\.name).filter {
      !$0.hasPrefix("__MACOSX/") && $0.utf8.count <= Self.pathLimit
    }.sorted()
    name = ""
    source = .archive(archive, identity)
  }

  private static func list(
    _ folder: String, prefix: String, depth: Int, into paths: inout [String]
  ) throws {
    guard let stream = opendir(folder) else {
      throw ConversionError(FileError.cannotOpen(path: folder, errno: errno))
    }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name == "." || name == ".." { continue }
      var status = stat()
      guard lstat("\(folder)/\(name)", &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFDIR {
        guard depth < depthLimit else { continue }
        try list("\(folder)/\(name)", prefix: "\(prefix)\(name)/", depth: depth + 1, into: &paths)
      } else {
        guard paths.count < countLimit else {
          throw ConversionError(
            .options(
              problem: "the folder has more than \(countLimit) files — name the model's own folder")
          )
        }
        paths.append(prefix + name)
      }
    }
  }

  /// A file's content, and what tells whether it is the output: inflated to memory where an archive
  /// has it deflated.
  func content(of path: String) throws -> (bytes: Bytes, identity: MappedFile.Identity) {
    switch source {
    case .folder(let folder):
      do {
        let file = try MappedFile(path: "\(folder)/\(path)")
        return (file.bytes, file.identity)
      } catch { throw ConversionError(error) }
    case .archive(let archive, let identity):
      guard let entry = archive.entry(named: path) else {
        throw ConversionError(
          .notNNUNet(
            problem: "the archive lacks \(DisplayText.quoted(path))", advice: "export it again"))
      }
      do { return (try archive.content(of: entry), identity) } catch {
        throw ConversionError(error, file: path)
      }
    }
  }
}
