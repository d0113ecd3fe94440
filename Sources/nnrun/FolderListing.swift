import FileIO
import Glibc

/// What lies in a folder.
enum FolderListing {
  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Names of everything but hidden files, sorted.
  static func names(in path: String) throws -> [String] {
    guard let stream = opendir(path) else { throw FileError.cannotOpen(path: path, errno: errno) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// Makes a folder, unless it is there.
  static func make(_ path: String) throws {
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw FileError.cannotCreate(path: path, errno: errno)
    }
  }
}
