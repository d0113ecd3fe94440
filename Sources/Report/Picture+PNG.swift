// SPDX-License-Identifier: Apache-2.0
internal import CZlib
package import FileIO

extension Picture {
  /// The picture as a PNG file (W3C PNG, third edition): header, one compressed block of unfiltered
  /// rows, end.
  package func png() throws(FileError) -> [UInt8] {
    var rows: [UInt8] = []
    rows.reserveCapacity((3 * width + 1) * height)
    let rowCount = 3 * width
    for y in 0..<height {
      rows.append(0)
      rows += bytes[y * rowCount..<(y + 1) * rowCount]
    }
    var count = compressBound(uLong(rows.count))
    var packed = [UInt8](repeating: 0, count: Int(count))
    guard compress(&packed, &count, rows, uLong(rows.count)) == Z_OK else {
      throw .cannotWrite(path: "PNG", errno: 12)
    }
    packed.removeLast(packed.count - Int(count))
    let size = Self.bigEndian(UInt32(width)) + Self.bigEndian(UInt32(height))
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
      + Self.chunk("IHDR", size + [8, 2, 0, 0, 0]) + Self.chunk("IDAT", packed)
      + Self.chunk("IEND", [])
  }

  private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + content
    return bigEndian(UInt32(content.count)) + body
      + bigEndian(UInt32(crc32(0, body, uInt(body.count))))
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
  }
}
