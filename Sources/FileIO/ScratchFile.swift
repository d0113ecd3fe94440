// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// A file without a name for what does not fit into memory: it is gone when the process ends.
package final class ScratchFile: @unchecked Sendable {
  // Invariant: the descriptor is open as long as the object lives; writes append, one at a time.
  private let descriptor: Int32
  private let folder: String
  package private(set) var byteCount = 0

  /// - Parameter folder: where there is space for it.
  package init(folder: String) throws(FileError) {
    self.folder = folder
    var template = Array("\(folder)/.nnconvert-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw .cannotCreate(path: folder, errno: errno) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    unlink(template)
  }

  deinit { close(descriptor) }

  /// Appends bytes and says where they are.
  package func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) -> Int {
    let start = byteCount
    var done = 0
    while done < bytes.count {
      let count = pwrite(
        descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(start + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .cannotWrite(path: folder, errno: errno) }
      done += count
    }
    byteCount += bytes.count
    return start
  }

  /// Reads bytes that were appended.
  package func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let count = pread(
        descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .cannotRead(path: folder, errno: errno) }
      done += count
    }
  }
}
