// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// A `.npy` file of entries of one shape that is written as they come; how many there are need not be
/// known before. It appears under its name only when it is complete.
package struct NPYStream: ~Copyable {
  private var file: AtomicFile
  /// The shape of an entry.
  private let shape: [Int]
  /// How many entries have been written.
  package private(set) var count = 0

  /// The most entries, whose digits the header keeps free.
  private static let headerLimit = 1_000_000_000

  /// - Parameters:
  ///   - path: where the file is to stand; one of that name is replaced in the end.
  ///   - shape: of one entry; the file's shape has the number of entries before it.
  ///   - inputs: files that must not be replaced.
  package init(
    path: String, shape: [Int], inputs: [MappedFile.Identity] = []
  ) throws(NPYError) {
    self.shape = shape
    do throws(FileError) {
      var file = try AtomicFile(path: path, replacing: true, inputs: inputs)
      try file.write(NPYArray.header(shape: [Self.headerLimit] + shape))
      self.file = file
    } catch { throw .file(error) }
  }

  /// Writes an entry's values, row-major.
  package mutating func append(_ values: UnsafeBufferPointer<Float>) throws(NPYError) {
    precondition(values.count == shape.reduce(1, *))
    do throws(FileError) { try file.write(UnsafeRawBufferPointer(values)) } catch {
      throw .file(error)
    }
    count += 1
  }

  /// Makes the file complete.
  ///
  /// - Parameter isOne: whether the only entry stands for itself, without an axis of entries.
  package consuming func commit(isOne: Bool = false) throws(NPYError) {
    precondition(!isOne || count == 1)
    let header = NPYArray.header(
      shape: (isOne ? [] : [count]) + shape,
      byteCount: NPYArray.header(shape: [Self.headerLimit] + shape).count)
    do throws(FileError) {
      try file.overwrite(header, at: 0)
      try file.commit()
    } catch { throw .file(error) }
  }
}
