// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// A regular file that is read from front to end through the caller's buffers.
///
/// In place of a mapping where a file may lie on a network or be cut short meanwhile: what is missing
/// then is a short read, not a signal.
package final class FileReader {
  package let path: String
  /// Its size when it was opened.
  package let byteCount: Int

  // Invariant: opened in init, closed in deinit.
  private let descriptor: Int32

  /// Opens the file at `path`; pipes, devices and folders are refused without blocking on them.
  package init(path: String) throws(FileError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .cannotOpen(path: path, errno: errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw .cannotRead(path: path, errno: code)
    }
    if let kind = FileKindName.ofIrregular(mode: status.st_mode) {
      close(descriptor)
      throw .notARegularFile(path: path, kind: kind)
    }
    self.path = path
    self.descriptor = descriptor
    byteCount = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Fills `buffer` as far as the file goes; returns how many bytes came.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
    var filled = 0
    while filled < buffer.count {
      let count = posixRead(descriptor, UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .cannotRead(path: path, errno: errno) }
      if count == 0 { break }
      filled += count
    }
    return filled
  }
}

/// `read(2)`, which the method of that name hides.
private func posixRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
  read(descriptor, buffer.baseAddress, buffer.count)
}
