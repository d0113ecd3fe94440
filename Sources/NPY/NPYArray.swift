// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// A NumPy array of floating-point numbers, read from or written to a `.npy` file.
///
/// Source: NumPy's `numpy.lib.format`, versions 1.0 to 3.0. Values are row-major `f32`.
package struct NPYArray: Sendable, Equatable {
  package var shape: [Int]
  package var values: [Float]

  package init(shape: [Int], values: [Float]) {
    precondition(shape.reduce(1, *) == values.count)
    self.shape = shape
    self.values = values
  }

  /// Reads a file of little-endian `f4`, `f8` or `f2` numbers in either order.
  package init(contentsOf path: String) throws(NPYError) {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw .file(error) }
    try self.init(bytes: file.bytes)
  }

  /// The shape of a file's array, from its header alone.
  package static func shape(ofFileAt path: String) throws(NPYError) -> [Int] {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw .file(error) }
    return try NPYHeader(file.bytes).shape
  }

  /// The bytes that reading a file takes at one time, from its header alone.
  package static func readByteCount(ofFileAt path: String) throws(NPYError) -> Int {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw .file(error) }
    let header = try NPYHeader(file.bytes)
    let values = header.elementCount * MemoryLayout<Float>.stride
    // The file's pages, and the values once more where their order changes.
    return file.bytes.count + values * (header.isFortranOrder ? 2 : 1)
  }

  /// Reads the content of a `.npy` file.
  package init(bytes: Bytes) throws(NPYError) {
    let header = try NPYHeader(bytes)
    guard let data = bytes.slice(at: header.dataOffset, count: bytes.count - header.dataOffset),
      data.count == header.dataByteCount
    else {
      throw .dataLength(
        found: bytes.count - header.dataOffset, expected: header.dataByteCount)
    }
    let stored = data.withUnsafeBytes { header.element.read($0, count: header.elementCount) }
    shape = header.shape
    values = header.isFortranOrder ? Self.rowMajor(fortran: stored, shape: shape) : stored
  }

  private static func rowMajor(fortran values: [Float], shape: [Int]) -> [Float] {
    var strides: [Int] = []
    var step = 1
    for size in shape {
      strides.append(step)
      step *= size
    }
    var index = [Int](repeating: 0, count: shape.count)
    return values.indices.map { _ in
      let position = zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }
      for axis in shape.indices.reversed() {
        index[axis] += 1
        if index[axis] < shape[axis] { break }
        index[axis] = 0
      }
      return values[position]
    }
  }

  /// The header of a file that holds `shape` row-major, by default as `f32`.
  ///
  /// - Parameter byteCount: how long the header is to be, where it has to be longer than it needs.
  package static func header(
    descriptor: String = "<f4", shape: [Int], byteCount: Int = 0
  ) -> [UInt8] {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(sizes)), }"
    let unpadded = 10 + text.utf8.count + 1
    let padded = max(byteCount, (unpadded + 63) / 64 * 64)
    text += String(repeating: " ", count: padded - unpadded) + "\n"
    let length = UInt16(text.utf8.count)
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
      + Array(text.utf8)
  }

  /// Writes the array, replacing a file of that name only when the new one is complete.
  package func write(to path: String, inputs: [MappedFile.Identity] = []) throws(NPYError) {
    do throws(FileError) {
      var file = try AtomicFile(path: path, replacing: true, inputs: inputs)
      try file.write(Self.header(shape: shape))
      var failure: FileError?
      values.withUnsafeBytes { buffer in
        do throws(FileError) { try file.write(buffer) } catch { failure = error }
      }
      if let failure { throw failure }
      try file.commit()
    } catch { throw .file(error) }
  }
}
