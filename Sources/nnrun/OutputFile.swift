// SPDX-License-Identifier: Apache-2.0
import FileIO

/// Where a result is to go, checked before any work is done for it.
enum OutputFile {
  /// Refuses what is no place for a file with that ending.
  ///
  /// - Parameters:
  ///   - ending: the only ending that the file may have; without any it is left as it is.
  ///   - inputs: files that must not be replaced.
  static func check(
    _ path: String, ending: String, inputs: [MappedFile.Identity] = []
  ) throws {
    guard path != "-" else { throw InputError.output(path, problem: "is no file") }
    try AtomicFile.check(path: path, inputs: inputs)
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    guard !name.contains(".") || name.lowercased().hasSuffix(ending) else {
      throw InputError.output(path, problem: "does not end in \(ending), which is what is written")
    }
  }

  /// Refuses what is no place for a folder; makes it otherwise.
  static func makeFolder(_ path: String) throws {
    guard path != "-" else { throw InputError.output(path, problem: "is no folder") }
    guard Folder.exists(path) || MappedFile.identity(ofFileAt: path) == nil else {
      throw InputError.output(path, problem: "is a file, but several results need a folder")
    }
    try Folder.make(path)
  }
}
