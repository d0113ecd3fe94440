// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// Where one frame's pixels lie in a data set, and how they are packed.
struct FramePixels: Sendable {
  enum Packing: Sendable {
    case native
    case runLength
    case jpegLossless
  }

  let format: PixelFormat
  let packing: Packing
  /// One range, or the fragments that the frame is cut into.
  let ranges: [Range<Int>]

  /// The frames of a data set, which must hold exactly as many.
  static func frames(
    _ count: Int, of format: PixelFormat, at location: PixelLocation, syntax: TransferSyntax,
    in bytes: Bytes
  ) throws(DICOMError) -> [FramePixels] {
    switch (location, syntax) {
    case (.native(let range), _) where !syntax.isEncapsulated:
      let needed = format.frameByteCount * count
      guard range.count == needed || (needed % 2 == 1 && range.count == needed + 1) else {
        throw DICOMError(.bytes, "has \(range.count) bytes of pixels where \(needed) are needed")
      }
      return (0..<count).map { index in
        let start = range.lowerBound + index * format.frameByteCount
        return FramePixels(
          format: format, packing: .native, ranges: [start..<start + format.frameByteCount])
      }
    case (.fragments(let fragments), .runLength):
      // Two bytes give at most 128.
      return try packed(fragments.map { [$0] }, count, format, .runLength, largestRatio: 64)
    case (.fragments(let fragments), .jpegLossless),
      (.fragments(let fragments), .jpegLosslessFirstOrder):
      let frames = count == 1 ? [fragments] : images(fragments, in: bytes)
      // A pixel takes at least one bit.
      return try packed(
        frames, count, format, .jpegLossless, largestRatio: format.bitsAllocated)
    default:
      throw DICOMError(.bytes, "holds its pixels in a way that its transfer syntax has not")
    }
  }

  private static func packed(
    _ frames: [[Range<Int>]], _ count: Int, _ format: PixelFormat, _ packing: Packing,
    largestRatio: Int
  ) throws(DICOMError) -> [FramePixels] {
    guard frames.count == count else {
      throw DICOMError(.bytes, "has \(frames.count) compressed frames where \(count) are needed")
    }
    for ranges in frames {
      let byteCount = ranges.reduce(0) { $0 + $1.count }
      guard format.frameByteCount / largestRatio <= byteCount else {
        throw DICOMError(
          .bytes, "packs \(format.frameByteCount) bytes of pixels into \(byteCount)")
      }
    }
    return frames.map { FramePixels(format: format, packing: packing, ranges: $0) }
  }

  /// Puts fragments together: every JPEG image begins with its own marker.
  private static func images(_ fragments: [Range<Int>], in bytes: Bytes) -> [[Range<Int>]] {
    var result: [[Range<Int>]] = []
    for fragment in fragments {
      if bytes.hasBytes([0xFF, 0xD8], at: fragment.lowerBound) || result.isEmpty {
        result.append([])
      }
      result[result.count - 1].append(fragment)
    }
    return result
  }

  /// The frame unpacked, from the bytes of its data set.
  func stored(in bytes: Bytes) throws(DICOMError) -> StoredPixels {
    var parts: [Bytes] = []
    for range in ranges {
      guard let part = bytes.slice(at: range.lowerBound, count: range.count) else {
        throw DICOMError(.bytes, "has changed while it was read")
      }
      parts.append(part)
    }
    let whole = parts.count == 1 ? parts[0] : Bytes(parts.flatMap(\.array))
    switch packing {
    case .native:
      return StoredPixels(
        bytes: whole, byteCount: format.bitsAllocated / 8, isBigEndian: format.isBigEndian)
    case .runLength:
      let unpacked = try RunLengthFrame(whole).unpacked(
        pixelCount: format.pixelCount, byteCount: format.bitsAllocated / 8)
      return StoredPixels(
        bytes: unpacked, byteCount: format.bitsAllocated / 8, isBigEndian: false)
    case .jpegLossless:
      var image = try JPEGLosslessImage(
        whole, rows: format.rows, columns: format.columns,
        largestPrecision: format.bitsAllocated)
      return StoredPixels(bytes: try image.decoded(), byteCount: 2, isBigEndian: false)
    }
  }
}
