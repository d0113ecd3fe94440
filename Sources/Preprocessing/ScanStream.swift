// SPDX-License-Identifier: Apache-2.0
internal import CZlib
internal import FileIO

/// Reads a scan from front to end, through zlib where it is gzipped (of one or several members).
///
/// Holds a bounded buffer of the file, never all of it.
final class ScanStream {
  /// Where the bytes come from.
  private enum Source {
    case file(FileReader)
    case memory(Bytes)
  }

  let path: String
  private let source: Source
  private let byteCount: Int
  private let isCompressed: Bool
  /// Bytes of the file that have been read and not yet used.
  private let input: HeapBuffer
  private var pending = 0..<0
  /// How much of `source` has been read.
  private var position = 0
  private var stream = z_stream()
  private var hasEnded = false

  /// Opens the file at `path`.
  convenience init(path: String) throws(PreprocessingError) {
    let file: FileReader
    do throws(FileError) { file = try FileReader(path: path) } catch {
      throw PreprocessingError(.file(error))
    }
    try self.init(path: path, source: .file(file), byteCount: file.byteCount)
  }

  /// Reads a file's bytes; `path` is its name in messages.
  convenience init(path: String, bytes: Bytes) throws(PreprocessingError) {
    try self.init(path: path, source: .memory(bytes), byteCount: bytes.count)
  }

  private init(path: String, source: Source, byteCount: Int) throws(PreprocessingError) {
    self.path = path
    self.source = source
    self.byteCount = byteCount
    input = HeapBuffer(byteCount: min(max(byteCount, 1), 1 << 18))
    let count = try Self.read(source, at: 0, into: input.memory)
    isCompressed = count >= 2 && input.memory[0] == 0x1F && input.memory[1] == 0x8B
    pending = 0..<count
    position = count
    guard isCompressed else { return }
    // 16 asks for a gzip wrapper.
    guard
      inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw PreprocessingError(.format(path: path, problem: "cannot be inflated")) }
  }

  deinit { if isCompressed { inflateEnd(&stream) } }

  private static func read(
    _ source: Source, at position: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(PreprocessingError) -> Int {
    switch source {
    case .file(let file):
      do throws(FileError) { return try file.read(into: buffer) } catch {
        throw PreprocessingError(.file(error))
      }
    case .memory(let bytes):
      let count = min(buffer.count, bytes.count - position)
      bytes.slice(at: position, count: count)?.withUnsafeBytes { buffer.copyMemory(from: $0) }
      return count
    }
  }

  /// The most bytes that the file can hold; no DEFLATE stream expands by more than 1032.
  var largestCount: Int {
    guard isCompressed else { return byteCount }
    let (count, overflow) = byteCount.multipliedReportingOverflow(by: 1_032)
    return overflow ? .max : count
  }

  /// Fills `buffer` as far as the file goes; returns how much came.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(PreprocessingError) -> Int {
    var filled = 0
    while filled < buffer.count, !hasEnded {
      if pending.isEmpty { try refill() }
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      filled += isCompressed ? try inflate(into: part) : copy(into: part)
    }
    return filled
  }

  /// Reads on in the file, behind what has not been used yet.
  private func refill() throws(PreprocessingError) {
    input.memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: input.memory[pending]))
    pending = 0..<pending.count
    let count = try Self.read(
      source, at: position,
      into: UnsafeMutableRawBufferPointer(rebasing: input.memory[pending.upperBound...]))
    position += count
    pending = 0..<pending.upperBound + count
  }

  private func copy(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, pending.count)
    buffer.copyMemory(
      from: UnsafeRawBufferPointer(rebasing: input.memory[pending.prefix(count)]))
    pending = pending.lowerBound + count..<pending.upperBound
    hasEnded = count == 0
    return count
  }

  private func inflate(
    into buffer: UnsafeMutableRawBufferPointer
  ) throws(PreprocessingError) -> Int {
    let size = min(buffer.count, 1 << 28)
    stream.next_in = input.memory.bindMemory(to: UInt8.self).baseAddress
      .map { $0 + pending.lowerBound }
    stream.avail_in = uInt(pending.count)
    stream.next_out = buffer.bindMemory(to: UInt8.self).baseAddress
    stream.avail_out = uInt(size)
    let status = CZlib.inflate(&stream, Z_NO_FLUSH)
    pending = pending.upperBound - Int(stream.avail_in)..<pending.upperBound
    let produced = size - Int(stream.avail_out)
    switch status {
    case Z_STREAM_END:
      if pending.count < 2 { try refill() }
      // gzip members follow each other; anything else behind the last one is ignored, as gzip does.
      if pending.count >= 2, input.memory[pending.lowerBound] == 0x1F,
        input.memory[pending.lowerBound + 1] == 0x8B
      {
        inflateReset(&stream)
      } else {
        hasEnded = true
      }
    case Z_OK: break
    // Nothing could be done: the file ends here.
    case Z_BUF_ERROR: hasEnded = true
    default:
      throw PreprocessingError(
        .format(path: path, problem: "its gzip data is damaged — copy the scan again"))
    }
    return produced
  }
}
