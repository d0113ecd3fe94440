// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// A frame in DICOM's RLE: byte planes, the highest first, each in PackBits; see PS3.5, annex G.
struct RunLengthFrame {
  private static let headerByteCount = 64

  private let bytes: Bytes

  init(_ bytes: Bytes) { self.bytes = bytes }

  /// The pixels, little endian.
  func unpacked(pixelCount: Int, byteCount: Int) throws(DICOMError) -> Bytes {
    guard let planes: UInt32 = bytes.littleEndian(at: 0), planes == byteCount else {
      throw DICOMError(.bytes, "has an RLE header that does not fit its pixels")
    }
    var starts: [Int] = []
    for plane in 0..<byteCount {
      starts.append(Int(bytes.littleEndian(UInt32.self, at: 4 + 4 * plane) ?? 0))
    }
    starts.append(bytes.count)
    for (start, end) in zip(starts, starts.dropFirst()) {
      guard Self.headerByteCount <= start, start <= end, end <= bytes.count else {
        throw DICOMError(.bytes, "has RLE segments out of order")
      }
    }
    let output = HeapBuffer(byteCount: pixelCount * byteCount)
    for plane in 0..<byteCount {
      let isWhole = bytes.withUnsafeBytes { source in
        Self.unpack(
          UnsafeRawBufferPointer(rebasing: source[starts[plane]..<starts[plane + 1]]),
          into: output.memory, from: byteCount - 1 - plane, stride: byteCount)
      }
      guard isWhole else { throw DICOMError(.bytes, "has an RLE segment of a wrong size") }
    }
    return output.bytes
  }

  /// Fills every `stride`-th byte of `output`; `false` where the segment gives fewer bytes or more.
  private static func unpack(
    _ source: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, from start: Int,
    stride: Int
  ) -> Bool {
    var position = 0
    var target = start
    while target < output.count {
      guard position + 1 < source.count else { return false }
      let control = Int(source[position])
      position += 1
      guard control != 128 else { continue }
      let count = control < 128 ? control + 1 : 257 - control
      guard count <= (output.count - target + stride - 1) / stride else { return false }
      if control < 128 {
        guard count <= source.count - position else { return false }
        for offset in 0..<count {
          output[target] = source[position + offset]
          target += stride
        }
        position += count
      } else {
        for _ in 0..<count {
          output[target] = source[position]
          target += stride
        }
        position += 1
      }
    }
    return true
  }
}
