// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// A frame's pixels, unpacked but still as they are stored.
struct StoredPixels {
  /// At least as many as the format has pixels, `byteCount` bytes each.
  let bytes: Bytes
  /// Of a pixel: 1, 2 or 4.
  let byteCount: Int
  let isBigEndian: Bool

  /// Where the pixels go in an array: the first one, and how far apart columns and rows lie there.
  struct Target {
    let start: Int
    let columnStride: Int
    let rowStride: Int
  }

  /// Writes `slope · stored + intercept`, worked out in double; `target` must lie within `output`.
  func write(
    _ format: PixelFormat, slope: Double, intercept: Double,
    to output: UnsafeMutableBufferPointer<Float>, at target: Target
  ) {
    switch byteCount {
    case 1: write(UInt8.self, Int32.self)
    case 2: write(UInt16.self, Int32.self)
    default: write(UInt32.self, Int64.self)
    }

    func write<Word: FixedWidthInteger & BitwiseCopyable, Number: FixedWidthInteger>(
      _ word: Word.Type, _ number: Number.Type
    ) {
      // The bits above those stored mean nothing; the highest of these is the sign, if there is one.
      let mask = Number(truncatingIfNeeded: (UInt64(1) << UInt64(format.bitsStored)) - 1)
      let sign = format.isSigned ? Number(1) << Number(format.bitsStored - 1) : 0
      let isSwapped = isBigEndian && MemoryLayout<Word>.size > 1
      guard let output = output.baseAddress else { return }
      bytes.withUnsafeBytes { source in
        for row in 0..<format.rows {
          let values = output + target.start + row * target.rowStride
          let words = UnsafeRawBufferPointer(
            rebasing: source[(row * format.columns * MemoryLayout<Word>.size)...])
          @inline(__always) func value(_ column: Int) -> Float {
            let word = words.loadUnaligned(
              fromByteOffset: column * MemoryLayout<Word>.size, as: Word.self)
            let bits = Number(truncatingIfNeeded: isSwapped ? word.byteSwapped : word) & mask
            return Float(Double((bits ^ sign) &- sign) * slope + intercept)
          }
          // Apart, so that the first can use vectors.
          if target.columnStride == 1 {
            for column in 0..<format.columns { values[column] = value(column) }
          } else {
            for column in 0..<format.columns {
              values[column * target.columnStride] = value(column)
            }
          }
        }
      }
    }
  }
}
