// SPDX-License-Identifier: Apache-2.0
internal import CZlib
internal import FileIO

/// A data set as a raw DEFLATE stream, of a size that nothing tells beforehand.
struct DeflatedDataSet {
  private let stored: Bytes

  init(_ file: Bytes, from start: Int) throws(DICOMError) {
    guard let stored = file.slice(at: start, count: file.count - start), !stored.isEmpty else {
      throw DICOMError(.bytes, "ends before its data set")
    }
    self.stored = stored
  }

  /// The whole data set; the stream must reach its end.
  func inflated() throws(DICOMError) -> Bytes {
    let limit =
      DICOMLimits.inflatedByteCount
      + min(stored.count, 1 << 30) * DICOMLimits.largestExpansion
    // The size is counted first, so that no memory is taken twice over while it grows.
    let output = HeapBuffer(byteCount: try run(limit: limit, into: nil))
    _ = try run(limit: output.memory.count, into: output.memory)
    return output.bytes
  }

  /// Inflates into `output` or, for its size alone, into a scratch buffer.
  private func run(
    limit: Int, into output: UnsafeMutableRawBufferPointer?
  ) throws(DICOMError) -> Int {
    var stream = z_stream()
    guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw DICOMError(.bytes, "cannot be inflated") }
    defer { inflateEnd(&stream) }
    let scratch = HeapBuffer(byteCount: 1 << 16)
    let piece = 1 << 30
    var (consumed, produced) = (0, 0)
    while true {
      // A byte more than there may be shows whether the stream goes on.
      let target: UnsafeMutableRawBufferPointer
      if let output, produced < output.count {
        target = UnsafeMutableRawBufferPointer(
          rebasing: output[produced..<min(output.count, produced + piece)])
      } else {
        target = scratch.memory
      }
      let available = min(piece, stored.count - consumed)
      let status = stored.withUnsafeBytes { input -> Int32 in
        stream.next_in = UnsafeMutablePointer(
          mutating: input.bindMemory(to: UInt8.self).baseAddress.map { $0 + consumed })
        stream.avail_in = uInt(available)
        stream.next_out = target.bindMemory(to: UInt8.self).baseAddress
        stream.avail_out = uInt(target.count)
        return inflate(&stream, Z_NO_FLUSH)
      }
      let read = available - Int(stream.avail_in)
      let written = target.count - Int(stream.avail_out)
      consumed += read
      produced += written
      guard produced <= limit else {
        throw DICOMError(.limit, "inflates to more than \(limit) bytes")
      }
      if status == Z_STREAM_END { return produced }
      guard status == Z_OK, read + written > 0 else {
        throw DICOMError(.bytes, "its deflated data set is damaged or cut off")
      }
    }
  }
}
