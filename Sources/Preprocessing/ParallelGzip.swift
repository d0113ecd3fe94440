internal import CZlib
internal import FileIO

/// Compresses on several threads into one gzip member: blocks are deflated on their own, end on a byte,
/// and follow each other in one DEFLATE stream.
enum ParallelGzip {
  private static let blockByteCount = 1 << 20

  /// A block's part of the stream.
  private struct Block: Sendable {
    var bytes: [UInt8] = []
    var checksum: uLong = 0
  }

  /// Appends `content` to `file`, compressed.
  static func write(
    _ content: Bytes, to file: inout AtomicFile, threads: Int
  ) throws(FileError) {
    // No name, no time; from a Unix.
    try file.write([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3])
    let count = max(1, (content.count + blockByteCount - 1) / blockByteCount)
    var checksum = crc32(0, nil, 0)
    for first in stride(from: 0, to: count, by: max(1, threads)) {
      var blocks = [Block](repeating: Block(), count: min(max(1, threads), count - first))
      blocks.withUnsafeMutableBufferPointer { blocks in
        nonisolated(unsafe) let blocks = blocks
        ParallelLoop.run(blocks.count) { index in
          let start = (first + index) * blockByteCount
          let size = min(blockByteCount, content.count - start)
          guard let part = content.slice(at: start, count: size) else { return }
          blocks[index] = deflated(part, isLast: first + index == count - 1)
        }
      }
      for (index, block) in blocks.enumerated() {
        let size = min(blockByteCount, content.count - (first + index) * blockByteCount)
        checksum = crc32_combine(checksum, block.checksum, size)
        try file.write(block.bytes)
      }
    }
    let trailer = [UInt32(truncatingIfNeeded: checksum), UInt32(truncatingIfNeeded: content.count)]
    try file.write(trailer.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } })
  }

  private static func deflated(_ part: Bytes, isLast: Bool) -> Block {
    var stream = z_stream()
    // Minus: no wrapper of its own.
    let status = deflateInit2_(
      &stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    // Invariant of zlib: with these arguments nothing but memory can be lacking.
    precondition(status == Z_OK, "no memory for compressing")
    defer { deflateEnd(&stream) }
    // A sync flush takes a few bytes more than the bound says.
    let capacity = Int(deflateBound(&stream, uLong(part.count))) + 16
    return part.withUnsafeBytes { input in
      var block = Block()
      block.checksum = crc32(0, nil, 0)
      if let start = input.bindMemory(to: UInt8.self).baseAddress {
        block.checksum = crc32(block.checksum, start, uInt(input.count))
        stream.next_in = UnsafeMutablePointer(mutating: start)
      }
      stream.avail_in = uInt(input.count)
      block.bytes = [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
        stream.next_out = output.baseAddress
        stream.avail_out = uInt(capacity)
        deflate(&stream, isLast ? Z_FINISH : Z_SYNC_FLUSH)
        count = capacity - Int(stream.avail_out)
      }
      return block
    }
  }
}
