internal import CZlib
internal import FileIO

/// Reads a file from front to end, through zlib where it is gzipped (of one or several members).
final class ScanStream {
  private let path: String
  private let bytes: Bytes
  private let isCompressed: Bool
  private var position = 0
  private var stream = z_stream()
  private var hasEnded = false

  init(path: String, bytes: Bytes) throws(PreprocessingError) {
    self.path = path
    self.bytes = bytes
    isCompressed = bytes.hasBytes([0x1F, 0x8B])
    guard isCompressed else { return }
    // 16 asks for a gzip wrapper.
    guard
      inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw .format(path: path, problem: "cannot be inflated") }
  }

  deinit { if isCompressed { inflateEnd(&stream) } }

  /// The most bytes that the file can hold; no DEFLATE stream expands by more than 1032.
  var largestCount: Int {
    guard isCompressed else { return bytes.count }
    let (count, overflow) = bytes.count.multipliedReportingOverflow(by: 1_032)
    return overflow ? .max : count
  }

  /// Fills `buffer` as far as the file goes; returns how much came.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(PreprocessingError) -> Int {
    var filled = 0
    while filled < buffer.count, !hasEnded {
      let count = min(buffer.count - filled, 1 << 28)
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<filled + count])
      filled += isCompressed ? try inflate(into: part) : copy(into: part)
    }
    return filled
  }

  private func copy(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, bytes.count - position)
    if let slice = bytes.slice(at: position, count: count) {
      slice.withUnsafeBytes { buffer.copyMemory(from: $0) }
    }
    position += count
    hasEnded = position == bytes.count
    return count
  }

  private func inflate(
    into buffer: UnsafeMutableRawBufferPointer
  ) throws(PreprocessingError) -> Int {
    let available = min(bytes.count - position, 1 << 28)
    let status = bytes.withUnsafeBytes { input -> Int32 in
      stream.next_in = UnsafeMutablePointer(
        mutating: input.bindMemory(to: UInt8.self).baseAddress.map { $0 + position })
      stream.avail_in = uInt(available)
      stream.next_out = buffer.bindMemory(to: UInt8.self).baseAddress
      stream.avail_out = uInt(buffer.count)
      return CZlib.inflate(&stream, Z_NO_FLUSH)
    }
    position += available - Int(stream.avail_in)
    let produced = buffer.count - Int(stream.avail_out)
    switch status {
    case Z_STREAM_END:
      // gzip members follow each other; anything else behind the last one is ignored, as gzip does.
      if bytes.slice(at: position, count: 2)?.array == [0x1F, 0x8B] {
        inflateReset(&stream)
      } else {
        hasEnded = true
      }
    case Z_OK: break
    case Z_BUF_ERROR: hasEnded = true
    default:
      throw .format(path: path, problem: "its gzip data is damaged — copy the scan again")
    }
    return produced
  }
}
