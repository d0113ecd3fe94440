// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// Writes gzip files (RFC 1952) of one member, compressed on several threads.
enum ParallelGzip {
  /// Appends `content` to `file`, compressed.
  static func write(
    _ content: Bytes, to file: inout AtomicFile, threads: Int
  ) throws(FileError) {
    // No name, no time; from a Unix.
    try file.write([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3])
    var deflate = ParallelDeflate(threads: threads)
    try content.withUnsafeBytes { (bytes) throws(FileError) in
      try file.write(bytes, through: &deflate)
    }
    try file.finish(&deflate)
    // The length counts modulo 2³².
    for word in [deflate.checksum, UInt32(truncatingIfNeeded: deflate.inputCount)] {
      try file.write(withUnsafeBytes(of: word.littleEndian) { Array($0) })
    }
  }
}
