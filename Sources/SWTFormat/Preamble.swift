// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// The fixed 128 bytes at the start of a `.swt` file. All integers are little-endian.
package struct Preamble: Equatable, Sendable {
  package static let byteCount = 128
  /// As in PNG: a byte that is no ASCII, a name, and line ends that text-mode copies would change.
  package static let magic: [UInt8] = [0x89, 0x53, 0x57, 0x54, 0x0D, 0x0A, 0x1A, 0x0A]
  package static let endiannessMark: UInt32 = 0x0A0B_0C0D
  package static let major: UInt16 = 1
  package static let headerLimit = 16 << 20
  /// Data starts on a boundary that every common page size divides.
  package static let dataAlignment = 65_536
  package static let tensorAlignment = 256

  private static let hashOffset = 64
  private static let reserved = [56..<64, 96..<128]

  package var majorVersion = Self.major
  package var minorVersion: UInt16 = 0
  package var requiredFeatures: RequiredFeatures = []
  package var optionalFeatures: UInt64 = 0
  package var headerLength: Int
  package var fileLength: Int
  /// SHA-256 of the preamble's first 64 bytes and the JSON: the model id.
  package var hash: [UInt8] = []

  /// Where the data starts, which follows from the header's length.
  package var dataOffset: Int {
    Self.roundUp(Self.byteCount + headerLength, to: Self.dataAlignment)
  }

  package init(headerLength: Int, fileLength: Int) {
    self.headerLength = headerLength
    self.fileLength = fileLength
  }

  package static func roundUp(_ value: Int, to alignment: Int) -> Int {
    (value + alignment - 1) / alignment * alignment
  }

  /// The preamble's bytes, with the hash over them and `header`.
  package func bytes(header: [UInt8]) -> [UInt8] {
    var result = Self.magic
    func append(_ value: some FixedWidthInteger) {
      withUnsafeBytes(of: value.littleEndian) { result += $0 }
    }
    append(Self.endiannessMark)
    append(majorVersion)
    append(minorVersion)
    append(requiredFeatures.rawValue)
    append(optionalFeatures)
    append(UInt64(headerLength))
    append(UInt64(dataOffset))
    append(UInt64(fileLength))
    result += [UInt8](repeating: 0, count: Self.hashOffset - result.count)
    result += Self.hash(firstBytes: result, header: header)
    result += [UInt8](repeating: 0, count: Self.byteCount - result.count)
    return result
  }

  private static func hash(firstBytes: [UInt8], header: [UInt8]) -> [UInt8] {
    var hash = SHA256()
    firstBytes.withUnsafeBytes { hash.update($0) }
    header.withUnsafeBytes { hash.update($0) }
    return hash.finalize()
  }

  /// Reads and checks the preamble of a file of `fileLength` bytes; `header` is set to the JSON.
  package init(_ bytes: Bytes, header: inout Bytes) throws(SWTError) {
    guard bytes.hasBytes(Self.magic) else {
      throw SWTError(.notSWT(found: Self.description(of: bytes)))
    }
    guard bytes.count >= Self.byteCount else {
      throw SWTError(.truncatedPreamble(byteCount: bytes.count))
    }
    func integer<Integer: FixedWidthInteger & BitwiseCopyable>(
      _ type: Integer.Type, at offset: Int
    ) throws(SWTError) -> Integer {
      guard let value = bytes.littleEndian(type, at: offset) else {
        throw SWTError(.truncatedPreamble(byteCount: bytes.count))
      }
      return value
    }
    guard try integer(UInt32.self, at: 8) == Self.endiannessMark else {
      throw SWTError(.wrongEndianness)
    }
    majorVersion = try integer(UInt16.self, at: 12)
    minorVersion = try integer(UInt16.self, at: 14)
    guard majorVersion == Self.major else {
      throw SWTError(.unsupportedVersion(major: Int(majorVersion), minor: Int(minorVersion)))
    }
    requiredFeatures = RequiredFeatures(rawValue: try integer(UInt64.self, at: 16))
    let unknown = requiredFeatures.subtracting(.known)
    guard unknown.isEmpty else { throw SWTError(.unknownRequiredFeatures(bits: unknown.rawValue)) }
    optionalFeatures = try integer(UInt64.self, at: 24)
    let declaredHeader = try integer(UInt64.self, at: 32)
    let declaredOffset = try integer(UInt64.self, at: 40)
    let declaredLength = try integer(UInt64.self, at: 48)
    for offset in Self.reserved.joined() where bytes.byte(at: offset) != 0 {
      throw SWTError(.reservedBytes(offset: offset))
    }
    let limit = Self.headerLimit
    guard (2...UInt64(limit)).contains(declaredHeader) else {
      throw SWTError(.headerLength(Int(clamping: declaredHeader), limit: limit))
    }
    headerLength = Int(declaredHeader)
    guard declaredLength == UInt64(bytes.count) else {
      throw SWTError(.fileLength(declared: declaredLength, actual: bytes.count))
    }
    fileLength = bytes.count
    let expectedOffset = Self.roundUp(Self.byteCount + headerLength, to: Self.dataAlignment)
    guard declaredOffset == UInt64(expectedOffset), expectedOffset <= fileLength else {
      throw SWTError(.dataOffset(found: declaredOffset, expected: expectedOffset))
    }
    guard let json = bytes.slice(at: Self.byteCount, count: headerLength),
      let firstBytes = bytes.slice(at: 0, count: Self.hashOffset),
      let storedHash = bytes.slice(at: Self.hashOffset, count: 32)
    else { throw SWTError(.truncatedPreamble(byteCount: bytes.count)) }
    hash = Self.hash(firstBytes: firstBytes.array, header: json.array)
    guard hash == storedHash.array else { throw SWTError(.headerHash) }
    header = json
  }

  /// What a file without our magic might be, for the message.
  private static func description(of bytes: Bytes) -> String {
    if bytes.isEmpty { return "an empty file" }
    if bytes.hasBytes([0x50, 0x4B, 0x03, 0x04]) { return "a zip archive (a PyTorch checkpoint?)" }
    if bytes.hasBytes(Array("version https://git-lfs".utf8)) { return "a git-lfs pointer" }
    if bytes.byte(at: 0) == 0x80 { return "a pickle (a PyTorch checkpoint?)" }
    return "something else"
  }
}
