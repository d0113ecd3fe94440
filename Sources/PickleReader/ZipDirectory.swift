// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// The central directory of a zip archive.
struct ZipDirectory {
  private static let endRecordSize = 22
  private static let locatorSize = 20
  private static let end64Size = 56
  private static let entrySize = 46
  private static let localSize = 30

  private let bytes: Bytes
  private let offset: Int
  private let end: Int
  private let count: Int

  /// Finds the directory through the end records.
  init(_ bytes: Bytes) throws(PickleError) {
    self.bytes = bytes
    let endRecord = try Self.findEndRecord(bytes)
    func field16(_ at: Int) -> Int {
      bytes.littleEndian(UInt16.self, at: endRecord + at).map(Int.init) ?? 0
    }
    func field32(_ at: Int) -> Int {
      bytes.littleEndian(UInt32.self, at: endRecord + at).map(Int.init) ?? 0
    }
    guard field16(4) == 0 || field16(4) == 0xFFFF, field16(6) == field16(4) || field16(6) == 0
    else {
      throw .zip(problem: "it is one part of several", entry: nil)
    }
    var count = field16(10)
    var size = field32(12)
    var offset = field32(16)
    var end = endRecord
    let locator = endRecord - Self.locatorSize
    if bytes.hasBytes([0x50, 0x4B, 0x06, 0x07], at: locator) {
      let record = try Self.end64(bytes, locator: locator)
      func field64(_ at: Int) throws(PickleError) -> Int {
        guard let value = bytes.littleEndian(UInt64.self, at: record + at),
          let integer = Int(exactly: value)
        else { throw .zip(problem: "a size in the zip64 end record is too large", entry: nil) }
        return integer
      }
      let (count64, size64, offset64) = (try field64(32), try field64(40), try field64(48))
      guard count == 0xFFFF || count == count64, size == 0xFFFF_FFFF || size == size64,
        offset == 0xFFFF_FFFF || offset == offset64
      else { throw .zip(problem: "its two end records disagree", entry: nil) }
      (count, size, offset, end) = (count64, size64, offset64, record)
    }
    guard offset <= end, size == end - offset else {
      throw .zip(problem: "the central directory is not where the end record says", entry: nil)
    }
    guard count <= size / Self.entrySize, count <= PickleLimits.entries else {
      throw .zip(problem: "the central directory cannot hold \(count) entries", entry: nil)
    }
    self.offset = offset
    self.end = end
    self.count = count
  }

  /// The one end record whose comment reaches exactly to the end of the file.
  private static func findEndRecord(_ bytes: Bytes) throws(PickleError) -> Int {
    let first = max(0, bytes.count - endRecordSize - 65_535)
    var found: Int?
    var position = bytes.count - endRecordSize
    while position >= first {
      if bytes.hasBytes([0x50, 0x4B, 0x05, 0x06], at: position),
        let comment = bytes.littleEndian(UInt16.self, at: position + 20),
        position + endRecordSize + Int(comment) == bytes.count
      {
        guard found == nil else { throw .zip(problem: "it has two end records", entry: nil) }
        found = position
      }
      position -= 1
    }
    guard let found else {
      throw .zip(problem: "the end record is missing: the file is truncated", entry: nil)
    }
    return found
  }

  private static func end64(_ bytes: Bytes, locator: Int) throws(PickleError) -> Int {
    guard let value = bytes.littleEndian(UInt64.self, at: locator + 8),
      let record = Int(exactly: value), record <= locator - end64Size,
      bytes.hasBytes([0x50, 0x4B, 0x06, 0x06], at: record),
      let size = bytes.littleEndian(UInt64.self, at: record + 4),
      size == UInt64(locator - record - 12)
    else { throw .zip(problem: "the zip64 end record is missing or damaged", entry: nil) }
    return record
  }

  /// Reads all entries, checks them against their local headers, and that none overlap.
  mutating func readEntries() throws(PickleError) -> [ZipArchive.Entry] {
    var entries: [ZipArchive.Entry] = []
    entries.reserveCapacity(count)
    var names: Set<[UInt8]> = []
    var position = offset
    for _ in 0..<count {
      let entry = try readEntry(at: &position)
      guard names.insert(Array(entry.name.utf8)).inserted else {
        throw .zip(problem: "occurs twice", entry: entry.name)
      }
      entries.append(entry)
    }
    guard position == end else {
      throw .zip(problem: "the central directory has bytes left over", entry: nil)
    }
    var reached = 0
    for entry in entries.sorted(by: { $0.headerOffset < $1.headerOffset }) {
      guard entry.headerOffset >= reached, entry.compressedCount <= offset - entry.dataOffset else {
        throw .zip(problem: "overlaps its neighbour", entry: entry.name)
      }
      reached = entry.dataOffset + entry.compressedCount
    }
    return entries.filter { !$0.name.hasSuffix("/") }
  }

  private func readEntry(at position: inout Int) throws(PickleError) -> ZipArchive.Entry {
    guard bytes.hasBytes([0x50, 0x4B, 0x01, 0x02], at: position), position <= end - Self.entrySize
    else { throw .zip(problem: "the central directory is damaged at byte \(position)", entry: nil) }
    let start = position
    func field16(_ at: Int) -> Int {
      bytes.littleEndian(UInt16.self, at: start + at).map(Int.init) ?? 0
    }
    func field32(_ at: Int) -> Int {
      bytes.littleEndian(UInt32.self, at: start + at).map(Int.init) ?? 0
    }
    let (nameLength, extraLength, commentLength) = (field16(28), field16(30), field16(32))
    let next = start + Self.entrySize + nameLength + extraLength + commentLength
    guard next <= end, let nameBytes = bytes.slice(at: start + Self.entrySize, count: nameLength)
    else { throw .zip(problem: "the central directory is damaged at byte \(start)", entry: nil) }
    let name = try Self.name(nameBytes)
    position = next

    var sizes = Zip64Extra(
      count: field32(24), compressedCount: field32(20), headerOffset: field32(42))
    guard
      sizes.read(bytes, at: start + Self.entrySize + nameLength, length: extraLength)
    else { throw .zip(problem: "has a damaged zip64 field", entry: name) }
    let flags = field16(8)
    guard flags & 0x2041 == 0 else { throw .zip(problem: "is encrypted", entry: name) }
    let method = field16(10)
    guard method == 0 || method == 8 else {
      throw .zip(problem: "is compressed by method \(method), not stored or deflated", entry: name)
    }
    guard field32(38) >> 16 & 0xF000 != 0xA000 else {
      throw .zip(problem: "is a symbolic link", entry: name)
    }
    guard method == 8 || sizes.count == sizes.compressedCount else {
      throw .zip(problem: "is stored but has two sizes", entry: name)
    }
    let crc = UInt32(truncatingIfNeeded: field32(16))
    let dataOffset = try checkLocalHeader(
      sizes, name: name, nameBytes: nameBytes, flags: flags, method: method, crc: crc)
    return ZipArchive.Entry(
      name: name, isDeflated: method == 8, crc: crc, compressedCount: sizes.compressedCount,
      count: sizes.count, headerOffset: sizes.headerOffset, dataOffset: dataOffset)
  }

  /// Checks that the local header says the same as the directory; returns where the data starts.
  private func checkLocalHeader(
    _ sizes: Zip64Extra, name: String, nameBytes: Bytes, flags: Int, method: Int, crc: UInt32
  ) throws(PickleError) -> Int {
    let start = sizes.headerOffset
    guard start < offset, bytes.hasBytes([0x50, 0x4B, 0x03, 0x04], at: start) else {
      throw .zip(problem: "has no local header where the directory says", entry: name)
    }
    func field16(_ at: Int) -> Int {
      bytes.littleEndian(UInt16.self, at: start + at).map(Int.init) ?? 0
    }
    func field32(_ at: Int) -> Int {
      bytes.littleEndian(UInt32.self, at: start + at).map(Int.init) ?? 0
    }
    let dataOffset = start + Self.localSize + field16(26) + field16(28)
    guard field16(26) == nameBytes.count,
      bytes.hasBytes(nameBytes.array, at: start + Self.localSize),
      field16(8) == method, (field16(6) ^ flags) & 0x2049 == 0, dataOffset <= offset
    else { throw .zip(problem: "contradicts its local header", entry: name) }
    let local = (crc: field32(14), compressed: field32(18), count: field32(22))
    let isDeferred = flags & 8 != 0
    for (found, expected) in [
      (local.crc, Int(crc)), (local.compressed, sizes.compressedCount), (local.count, sizes.count),
    ] {
      guard found == expected || (isDeferred && found == 0) || found == 0xFFFF_FFFF else {
        throw .zip(problem: "contradicts its local header", entry: name)
      }
    }
    return dataOffset
  }

  /// A relative path without tricks.
  private static func name(_ bytes: Bytes) throws(PickleError) -> String {
    guard let name = bytes.utf8, !name.isEmpty else {
      throw .zip(problem: "an entry's name is empty or not UTF-8", entry: nil)
    }
    let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let hasTricks =
      name.utf8.contains { $0 < 0x20 || $0 == UInt8(ascii: "\\") }
      || parts.dropLast().contains { $0.isEmpty } || parts.contains { $0.elementsEqual("..".utf8) }
    guard !hasTricks else {
      throw .zip(problem: "has a name that could leave its folder", entry: name)
    }
    return name
  }
}

/// An entry's sizes, with the 64-bit ones from its zip64 field where the others are saturated.
private struct Zip64Extra {
  var count: Int
  var compressedCount: Int
  var headerOffset: Int

  /// Reads the extra fields; false where they are damaged.
  mutating func read(_ bytes: Bytes, at start: Int, length: Int) -> Bool {
    var position = start
    var isSeen = false
    while position + 4 <= start + length {
      guard let tag = bytes.littleEndian(UInt16.self, at: position),
        let size = bytes.littleEndian(UInt16.self, at: position + 2),
        position + 4 + Int(size) <= start + length
      else { return false }
      if tag == 1 {
        guard !isSeen, readSizes(bytes, at: position + 4, length: Int(size)) else { return false }
        isSeen = true
      }
      position += 4 + Int(size)
    }
    return isSeen || ![count, compressedCount, headerOffset].contains(0xFFFF_FFFF)
  }

  private mutating func readSizes(_ bytes: Bytes, at start: Int, length: Int) -> Bool {
    var position = start
    func next() -> Int? {
      guard position + 8 <= start + length,
        let value = bytes.littleEndian(UInt64.self, at: position)
      else { return nil }
      position += 8
      return Int(exactly: value)
    }
    for path in [\Zip64Extra.count, \.compressedCount, \.headerOffset]
    where self[keyPath: path] == 0xFFFF_FFFF {
      guard let value = next(), value < Int.max / 4 else { return false }
      self[keyPath: path] = value
    }
    return true
  }
}
