// SPDX-License-Identifier: Apache-2.0
/// The files that a command is to write, refused before any work where one could not be: it would replace an input or
/// another output, or cannot be made.
package struct PlannedOutputs {
  private let inputs: [MappedFile.Identity]
  private var places: [Place] = []

  /// A name in a folder.
  private struct Place: Equatable {
    let folder: MappedFile.Identity?
    let name: Substring
  }

  /// - Parameter inputs: files that must not be replaced.
  package init(inputs: [MappedFile.Identity]) { self.inputs = inputs }

  /// Plans to write a file.
  package mutating func add(_ path: String) throws(FileError) {
    try AtomicFile.check(path: path, inputs: inputs)
    let folder = AtomicFile.folder(of: path)
    let place = Place(
      folder: MappedFile.identity(ofFileAt: folder.isEmpty ? "." : folder),
      name: path.dropFirst(folder.count))
    guard !places.contains(place) else { throw .outputTwice(path: path) }
    places.append(place)
  }
}
