// SPDX-License-Identifier: Apache-2.0
internal import CZlib
package import FileIO

/// Arrays in one file, as `numpy.savez` writes them: a zip archive of `.npy` entries, stored as they are.
package struct NPZArchive {
  private var entries: [(name: String, content: [UInt8])] = []

  package init() {}

  /// Adds an array of doubles.
  package mutating func add(_ name: String, shape: [Int], _ values: [Double]) {
    precondition(shape.reduce(1, *) == values.count)
    var content = NPYArray.header(descriptor: "<f8", shape: shape)
    for value in values { append(value.bitPattern, to: &content) }
    entries.append((name, content))
  }

  /// Adds a text, an array without axes.
  package mutating func add(_ name: String, text: String) { add(name, shape: [], texts: [text]) }

  /// Adds a list of texts.
  package mutating func add(_ name: String, texts: [String]) {
    add(name, shape: [texts.count], texts: texts)
  }

  private mutating func add(_ name: String, shape: [Int], texts: [String]) {
    let length = max(1, texts.map(\.unicodeScalars.count).max() ?? 1)
    var content = NPYArray.header(descriptor: "<U\(length)", shape: shape)
    for text in texts {
      let codes = text.unicodeScalars.map(\.value)
      for code in codes + [UInt32](repeating: 0, count: length - codes.count) {
        append(code, to: &content)
      }
    }
    entries.append((name, content))
  }

  /// Writes the archive, replacing a file of that name only when the new one is complete.
  package func write(
    to path: String, replacing: Bool, inputs: [MappedFile.Identity] = []
  ) throws(NPYError) {
    do throws(FileError) {
      var file = try AtomicFile(path: path, replacing: replacing, inputs: inputs)
      try file.write(bytes)
      try file.commit()
    } catch { throw .file(error) }
  }

  /// The archive's bytes. Source: PKWARE's APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12 and 4.3.16.
  package var bytes: [UInt8] {
    var body: [UInt8] = []
    var directory: [UInt8] = []
    for (name, content) in entries {
      let fileName = Array("\(name).npy".utf8)
      let offset = UInt32(body.count)
      // Version, flags, method, time and date (1980-01-01), checksum, sizes, lengths.
      var common: [UInt8] = []
      for half in [20, 0, 0, 0, 0x21] as [UInt16] { append(half, to: &common) }
      append(Self.checksum(content), to: &common)
      append(UInt32(content.count), to: &common)
      append(UInt32(content.count), to: &common)
      append(UInt16(fileName.count), to: &common)
      append(UInt16(0), to: &common)
      append(UInt32(0x0403_4B50), to: &body)
      body += common + fileName + content
      append(UInt32(0x0201_4B50), to: &directory)
      append(UInt16(20), to: &directory)
      directory += common
      // Comment length, disk, internal and external attributes.
      directory += [UInt8](repeating: 0, count: 10)
      append(offset, to: &directory)
      directory += fileName
    }
    var end: [UInt8] = []
    append(UInt32(0x0605_4B50), to: &end)
    for half in [0, 0, UInt16(entries.count), UInt16(entries.count)] { append(half, to: &end) }
    append(UInt32(directory.count), to: &end)
    append(UInt32(body.count), to: &end)
    append(UInt16(0), to: &end)
    return body + directory + end
  }

  /// CRC-32 as in zip archives.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    UInt32(truncatingIfNeeded: crc32_z(0, bytes, bytes.count))
  }
}

private func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
  withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
}
