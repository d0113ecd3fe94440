// SPDX-License-Identifier: Apache-2.0
internal import CZlib

/// Compresses with DEFLATE on several threads: pieces by themselves, put together to one stream that
/// any inflater reads. Where pieces begin does not depend on the number of threads.
package struct ParallelDeflate {
  /// zlib's CRC-32 of what was compressed.
  package private(set) var checksum: UInt32 = 0
  /// Bytes that were compressed.
  package private(set) var inputCount = 0
  /// Bytes that came out.
  package private(set) var outputCount = 0

  private let threads: Int
  private let level: Int32

  private static let pieceCount = 1 << 18

  package init(threads: Int, level: Int = 6) {
    self.threads = max(1, threads)
    self.level = Int32(level)
  }

  /// Compresses `bytes`, and gives what comes of them to `write`, in order.
  package mutating func write<Failure: Error>(
    _ bytes: UnsafeRawBufferPointer, to write: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + threads * Self.pieceCount)
      let part = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
      for piece in compressed(part) {
        checksum = UInt32(
          truncatingIfNeeded: crc32_combine(
            uLong(checksum), uLong(piece.checksum), piece.inputCount))
        inputCount += piece.inputCount
        outputCount += piece.bytes.count
        var failure: Failure?
        piece.bytes.withUnsafeBytes { bytes in
          do throws(Failure) { try write(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
      }
      start = end
    }
  }

  /// Ends the stream: an empty last block.
  package mutating func finish<Failure: Error>(
    _ write: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    outputCount += 2
    let block: (UInt8, UInt8) = (3, 0)
    try withUnsafeBytes(of: block, write)
  }

  private struct Piece: Sendable {
    var bytes: [UInt8] = []
    var checksum: UInt32 = 0
    var inputCount = 0
  }

  private func compressed(_ bytes: UnsafeRawBufferPointer) -> [Piece] {
    let count = (bytes.count + Self.pieceCount - 1) / Self.pieceCount
    var pieces = [Piece](repeating: Piece(), count: count)
    let level = level
    pieces.withUnsafeMutableBufferPointer { pieces in
      nonisolated(unsafe) let (pieces, bytes) = (pieces, bytes)
      ParallelLoop.run(count) { index in
        let end = min(bytes.count, (index + 1) * Self.pieceCount)
        pieces[index] = Self.compressed(
          UnsafeRawBufferPointer(rebasing: bytes[index * Self.pieceCount..<end]), level: level)
      }
    }
    return pieces
  }

  /// One piece, ended on a byte and not as a last block.
  private static func compressed(_ bytes: UnsafeRawBufferPointer, level: Int32) -> Piece {
    var stream = z_stream()
    // Raw DEFLATE, zlib's usual memory. Only a lack of memory can fail, which ends a process anyhow.
    let status = deflateInit2_(
      &stream, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib has no memory")
    defer { deflateEnd(&stream) }
    let input = bytes.bindMemory(to: UInt8.self)
    // A flush may add some bytes to zlib's bound.
    let capacity = Int(deflateBound(&stream, uLong(bytes.count))) + 64
    let output = [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
      stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
      stream.avail_in = uInt(bytes.count)
      stream.next_out = output.baseAddress
      stream.avail_out = uInt(capacity)
      _ = deflate(&stream, Z_FULL_FLUSH)
      count = capacity - Int(stream.avail_out)
    }
    return Piece(
      bytes: output,
      checksum: UInt32(truncatingIfNeeded: crc32(0, input.baseAddress, uInt(bytes.count))),
      inputCount: bytes.count)
  }
}
