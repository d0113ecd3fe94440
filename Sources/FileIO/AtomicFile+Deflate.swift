// SPDX-License-Identifier: Apache-2.0
extension AtomicFile {
  /// Appends what `deflate` makes of `bytes`.
  package mutating func write(
    _ bytes: [UInt8], through deflate: inout ParallelDeflate
  ) throws(FileError) {
    try Bytes(bytes).withUnsafeBytes { (buffer) throws(FileError) in
      try write(buffer, through: &deflate)
    }
  }

  /// Appends what `deflate` makes of `bytes`.
  package mutating func write(
    _ bytes: UnsafeRawBufferPointer, through deflate: inout ParallelDeflate
  ) throws(FileError) {
    try deflate.write(bytes) { (piece) throws(FileError) in try write(piece) }
  }

  /// Ends the stream.
  package mutating func finish(_ deflate: inout ParallelDeflate) throws(FileError) {
    try deflate.finish { (piece) throws(FileError) in try write(piece) }
  }
}
