// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Folders on disk.
package enum Folder {
  /// Whether `path` names a folder.
  package static func exists(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Names of everything but hidden files, sorted.
  package static func names(in path: String) throws(FileError) -> [String] {
    guard let stream = opendir(path) else { throw .cannotOpen(path: path, errno: errno) }
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

  /// Makes the folders below `root` that `path`, which begins with it, needs.
  package static func make(parentsOf path: String, below root: String) throws(FileError) {
    var folder = root
    for component in path.dropFirst(root.count).split(separator: "/").dropLast() {
      folder += "/\(component)"
      try make(folder)
    }
  }

  /// Makes a folder, unless it is there.
  package static func make(_ path: String) throws(FileError) {
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw .cannotCreate(path: path, errno: errno)
    }
  }
}
