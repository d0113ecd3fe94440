// SPDX-License-Identifier: Apache-2.0
import CommandLineInterface
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
    let problem = OutputName.problem(path, ending: ending)
    // What is an input is told first.
    if let problem, path.isEmpty || path == "-" { throw InputError.output(path, problem: problem) }
    try AtomicFile.check(path: path, inputs: inputs)
    if let problem { throw InputError.output(path, problem: problem) }
  }

  /// Refuses what is no place for a folder; makes it otherwise.
  static func makeFolder(_ path: String) throws {
    guard path != "-", !path.isEmpty else {
      throw InputError.output(path, problem: "is no folder")
    }
    guard Folder.exists(path) || MappedFile.identity(ofFileAt: path) == nil else {
      throw InputError.output(path, problem: "is a file, but several results need a folder")
    }
    try Folder.make(path)
  }
}
