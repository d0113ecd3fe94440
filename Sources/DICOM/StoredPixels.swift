internal import FileIO

/// A frame's pixels, unpacked but still as they are stored.
struct StoredPixels {
  let bytes: Bytes
  /// Of a pixel: 1, 2 or 4.
  let byteCount: Int
  let isBigEndian: Bool

  /// Writes `slope · stored + intercept`, worked out in double, to where `target` says.
  ///
  /// - Parameters:
  ///   - output: the array; `target` must lie within.
  ///   - target: where the first pixel goes, and how far apart columns and rows lie there.
  func write(
    _ format: PixelFormat, slope: Double, intercept: Double,
    to output: UnsafeMutableBufferPointer<Float>,
    at target: (start: Int, columnStride: Int, rowStride: Int)
  ) {
    switch (byteCount, format.isSigned) {
    case (1, false): write(UInt8.self, UInt32.self)
    case (1, true): write(UInt8.self, Int32.self)
    case (2, false): write(UInt16.self, UInt32.self)
    case (2, true): write(UInt16.self, Int32.self)
    case (_, false): write(UInt32.self, UInt32.self)
    case (_, true): write(UInt32.self, Int32.self)
    }

    func write<Word: FixedWidthInteger & BitwiseCopyable, Number: FixedWidthInteger>(
      _ word: Word.Type, _ number: Number.Type
    ) {
      // Shifting up and down again drops the bits above and copies the sign.
      let shift = Number(32 - format.bitsStored)
      bytes.withUnsafeBytes { source in
        for row in 0..<format.rows {
          var position = target.start + row * target.rowStride
          for column in 0..<format.columns {
            let word = source.loadUnaligned(
              fromByteOffset: (row * format.columns + column) * MemoryLayout<Word>.size,
              as: Word.self)
            let wide = Number(truncatingIfNeeded: isBigEndian ? word.byteSwapped : word)
            let stored = (wide &<< shift) &>> shift
            output[position] = Float(Double(stored) * slope + intercept)
            position += target.columnStride
          }
        }
      }
    }
  }
}
