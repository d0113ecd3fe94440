// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// A zip archive that is read by its central directory, with every rule checked that two readers
/// could understand differently.
///
/// Source: PKWARE APPNOTE 6.3.10. Stored and deflated entries, zip64, data descriptors; what
/// PyTorch's writer does differently from the note is allowed where it is named.
package struct ZipArchive: Sendable {
  /// One entry.
  package struct Entry: Sendable, Equatable {
    package let name: String
    package let isDeflated: Bool
    package let crc: UInt32
    package let compressedCount: Int
    package let count: Int
    /// Where its local header starts.
    let headerOffset: Int
    /// Where its data starts.
    package let dataOffset: Int
  }

  /// The entries in the directory's order, folders left out.
  package let entries: [Entry]
  private let bytes: Bytes
  private let positions: [String: Int]

  /// Reads the directory; no entry's content is touched.
  package init(_ bytes: Bytes) throws(PickleError) {
    self.bytes = bytes
    var directory = try ZipDirectory(bytes)
    entries = try directory.readEntries()
    positions = Dictionary(
      entries.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The entry of that name.
  package func entry(named name: String) -> Entry? { positions[name].map { entries[$0] } }

  /// The content of an entry, CRC checked: a part of the archive where it is stored, a buffer of at
  /// most `limit` bytes where it is deflated.
  package func content(
    of entry: Entry, limit: Int = PickleLimits.inflatedBytes
  ) throws(PickleError) -> Bytes {
    guard let stored = bytes.slice(at: entry.dataOffset, count: entry.compressedCount) else {
      throw .zip(problem: "leaves the file", entry: entry.name)
    }
    var content = stored
    if entry.isDeflated {
      guard entry.count <= limit else {
        throw .inflate(entry: entry.name, problem: "inflates to more than \(limit) bytes")
      }
      content = try Inflater.inflate(stored, to: entry.count, entry: entry.name)
    }
    // PyTorch writes 0 when told not to compute checksums; a real CRC of 0 passes either way.
    guard entry.crc == 0 || Checksum.crc32(content) == entry.crc else {
      throw .checksum(entry: entry.name)
    }
    return content
  }
}
