// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// A NumPy archive of one array, `numpy.savez_compressed(path, name=array)`, written from front to back.
///
/// Source: PKWARE's APPNOTE 6.3.10, 4.3, with all sizes in their zip64 form.
package struct NPZFile: ~Copyable {
  private var file: AtomicFile
  private var deflate: ParallelDeflate
  private let name: [UInt8]

  /// Starts an archive; it replaces a file of that name when it is complete.
  ///
  /// - Parameters:
  ///   - name: the array's.
  ///   - shape: of the array, row-major `f32`.
  ///   - inputs: files that must not be replaced.
  package init(
    path: String, name: String, shape: [Int], threads: Int, inputs: [MappedFile.Identity] = []
  ) throws(NPYError) {
    let member = Array("\(name).npy".utf8)
    var file = try Self.create(path, inputs: inputs)
    var deflate = ParallelDeflate(threads: threads)
    do throws(FileError) {
      // The sizes are known in the end.
      try file.write(ZipRecord.localHeader(name: member, of: deflate))
      try file.write(NPYArray.header(shape: shape), through: &deflate)
    } catch { throw .file(error) }
    self.file = file
    self.deflate = deflate
    self.name = member
  }

  private static func create(
    _ path: String, inputs: [MappedFile.Identity]
  ) throws(NPYError) -> AtomicFile {
    do throws(FileError) {
      return try AtomicFile(path: path, replacing: true, inputs: inputs)
    } catch { throw .file(error) }
  }

  /// Appends numbers of the array.
  package mutating func write(_ values: [Float]) throws(NPYError) {
    do throws(FileError) {
      var failure: FileError?
      values.withUnsafeBytes { bytes in
        do throws(FileError) { try file.write(bytes, through: &deflate) } catch { failure = error }
      }
      if let failure { throw failure }
    } catch { throw .file(error) }
  }

  /// Ends the archive and gives it its name; all numbers have been written.
  package consuming func commit() throws(NPYError) {
    do throws(FileError) {
      try file.finish(&deflate)
      let directory = ZipRecord.directory(name: name, of: deflate, offset: file.count)
      try file.write(directory)
      try file.overwrite(ZipRecord.localHeader(name: name, of: deflate), at: 0)
      try file.commit()
    } catch { throw .file(error) }
  }
}

/// The records of a zip file around one member.
private enum ZipRecord {
  /// Version 4.5, for zip64.
  private static let version: UInt16 = 45
  private static let method: UInt16 = 8
  /// 1 January 1980, so that the same array gives the same bytes.
  private static let date: UInt32 = 0x0021_0000

  static func localHeader(name: [UInt8], of member: ParallelDeflate) -> [UInt8] {
    var record = bytes(0x0403_4B50 as UInt32) + bytes(version) + bytes(0 as UInt16)
    record += description(name: name, of: member, extra: 20)
    return record + name + sizes(of: member)
  }

  static func directory(name: [UInt8], of member: ParallelDeflate, offset: Int) -> [UInt8] {
    var entry = bytes(0x0201_4B50 as UInt32) + bytes(version) + bytes(version) + bytes(0 as UInt16)
    entry += description(name: name, of: member, extra: 20)
    // No comment, disk 0, no attributes, the member at the file's start.
    entry += [UInt8](repeating: 0, count: 14) + name + sizes(of: member)
    var end = bytes(0x0606_4B50 as UInt32) + bytes(44 as UInt64) + bytes(version) + bytes(version)
    end += bytes(0 as UInt64) + bytes(1 as UInt64) + bytes(1 as UInt64)
    end += bytes(UInt64(entry.count)) + bytes(UInt64(offset))
    let locator =
      bytes(0x0706_4B50 as UInt32) + bytes(0 as UInt32) + bytes(UInt64(offset + entry.count))
      + bytes(1 as UInt32)
    let last =
      bytes(0x0605_4B50 as UInt32) + bytes(0 as UInt32) + bytes(1 as UInt16) + bytes(1 as UInt16)
      + bytes(UInt32(entry.count)) + bytes(UInt32.max) + bytes(0 as UInt16)
    return entry + end + locator + last
  }

  private static func description(
    name: [UInt8], of member: ParallelDeflate, extra: Int
  ) -> [UInt8] {
    bytes(method) + bytes(date) + bytes(member.checksum) + bytes(UInt32.max) + bytes(UInt32.max)
      + bytes(UInt16(name.count)) + bytes(UInt16(extra))
  }

  private static func sizes(of member: ParallelDeflate) -> [UInt8] {
    bytes(1 as UInt16) + bytes(16 as UInt16) + bytes(UInt64(member.inputCount))
      + bytes(UInt64(member.outputCount))
  }

  private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}
