// SPDX-License-Identifier: Apache-2.0
internal import CZlib
internal import FileIO

/// CRC-32 as zip has it.
enum Checksum {
  static func crc32(_ bytes: Bytes) -> UInt32 {
    bytes.withUnsafeBytes { buffer in
      UInt32(
        truncatingIfNeeded: crc32_z(0, buffer.bindMemory(to: UInt8.self).baseAddress, buffer.count))
    }
  }
}

/// DEFLATE through zlib, with the output's size known beforehand as a hard cap.
enum Inflater {
  /// No DEFLATE stream expands by more.
  private static let largestRatio = 1_032

  /// The raw DEFLATE stream `stored`, which must give exactly `count` bytes and end where it ends.
  static func inflate(_ stored: Bytes, to count: Int, entry: String) throws(PickleError) -> Bytes {
    guard count / largestRatio <= stored.count + 64 else {
      throw .inflate(entry: entry, problem: "declares more bytes than its stream can hold")
    }
    guard
      count <= PickleLimits.freelyInflatedBytes
        || count / PickleLimits.largestExpansion <= stored.count
    else {
      throw .inflate(
        entry: entry,
        problem: "inflates more than \(PickleLimits.largestExpansion)-fold to "
          + "\(count) bytes, as no weights do")
    }
    let output = HeapBuffer(byteCount: count)
    var stream = z_stream()
    guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw .inflate(entry: entry, problem: "cannot be inflated") }
    defer { inflateEnd(&stream) }
    let status = stored.withUnsafeBytes { input -> Int32 in
      run(&stream, input: input, output: output.memory)
    }
    guard status == Z_STREAM_END, stream.total_out == count, stream.total_in == stored.count else {
      throw .inflate(entry: entry, problem: "does not inflate to the size it declares")
    }
    return output.bytes
  }

  /// The first bytes of what a gzip file holds; `nil` where it is damaged.
  static func gzipStart(_ stored: Bytes, count: Int) -> [UInt8]? {
    var stream = z_stream()
    guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return nil }
    defer { inflateEnd(&stream) }
    var output = [UInt8](repeating: 0, count: count)
    let produced = stored.withUnsafeBytes { input in
      output.withUnsafeMutableBufferPointer { target -> Int in
        stream.next_in = UnsafeMutablePointer(
          mutating: input.bindMemory(to: UInt8.self).baseAddress)
        stream.avail_in = uInt(min(input.count, 1 << 16))
        stream.next_out = target.baseAddress
        stream.avail_out = uInt(target.count)
        _ = CZlib.inflate(&stream, Z_NO_FLUSH)
        return Int(stream.total_out)
      }
    }
    return produced == count ? output : nil
  }

  /// Feeds zlib in pieces: its counters have 32 bits.
  private static func run(
    _ stream: inout z_stream, input: UnsafeRawBufferPointer, output: UnsafeMutableRawBufferPointer
  ) -> Int32 {
    let piece = 1 << 30
    var scratch: UInt8 = 0
    while true {
      let consumed = Int(stream.total_in)
      let produced = Int(stream.total_out)
      let available = min(piece, input.count - consumed)
      let room = min(piece, output.count - produced)
      stream.next_in = UnsafeMutablePointer(
        mutating: input.bindMemory(to: UInt8.self).baseAddress.map { $0 + consumed })
      stream.avail_in = uInt(available)
      let status: Int32
      if room > 0 {
        stream.next_out = output.bindMemory(to: UInt8.self).baseAddress.map { $0 + produced }
        stream.avail_out = uInt(room)
        status = CZlib.inflate(&stream, Z_NO_FLUSH)
      } else {
        // One byte of room shows whether the stream ends here or goes on.
        status = withUnsafeMutablePointer(to: &scratch) { pointer in
          stream.next_out = pointer
          stream.avail_out = 1
          return CZlib.inflate(&stream, Z_NO_FLUSH)
        }
      }
      let moved = Int(stream.total_in) > consumed || Int(stream.total_out) > produced
      guard status == Z_OK, moved, Int(stream.total_out) <= output.count else { return status }
    }
  }
}
