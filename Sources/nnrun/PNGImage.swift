import CZlib
import FileIO

/// An 8-bit RGB picture that can be written as PNG (W3C PNG, third edition).
struct PNGImage {
  let width: Int
  let height: Int
  private var pixels: [UInt8]

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    pixels = [UInt8](repeating: 0, count: 3 * width * height)
  }

  /// Sets a pixel; places outside are ignored.
  mutating func set(x: Int, y: Int, _ color: (UInt8, UInt8, UInt8)) {
    guard (0..<width).contains(x), (0..<height).contains(y) else { return }
    let at = 3 * (y * width + x)
    (pixels[at], pixels[at + 1], pixels[at + 2]) = color
  }

  /// The file: header, one compressed block of unfiltered rows, end.
  func encoded() throws(FileError) -> [UInt8] {
    var rows: [UInt8] = []
    rows.reserveCapacity((3 * width + 1) * height)
    for y in 0..<height {
      rows.append(0)
      rows += pixels[3 * y * width..<3 * (y + 1) * width]
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

  func write(to path: String, inputs: [MappedFile.Identity]) throws(FileError) {
    var file = try AtomicFile(path: path, replacing: true, inputs: inputs)
    try file.write(encoded())
    try file.commit()
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
