// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// A text file that grows line by line, so that what was told is there whatever happens next.
package final class LogFile: Sendable {
  /// No result may replace it.
  package let identity: MappedFile.Identity
  // Invariant: opened in init, closed in deinit.
  private let descriptor: Int32

  /// Starts the file at `path`, or goes on with it.
  ///
  /// - Parameter beginning: of every line. A file that does not begin so is something else, and is left as it is.
  package init(path: String, beginning: String) throws(FileError) {
    descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o666)
    guard descriptor >= 0 else { throw .cannotCreate(path: path, errno: errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .outputNotAFile(path: path, kind: "no regular file")
    }
    identity = MappedFile.Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    var start = [UInt8](repeating: 0, count: beginning.utf8.count)
    let count = pread(descriptor, &start, start.count, 0)
    guard count == 0 || start.elementsEqual(beginning.utf8) else {
      close(descriptor)
      throw .outputIsForeign(path: path, expected: "a log of these commands")
    }
  }

  deinit { close(descriptor) }

  /// Adds a line. A log that cannot be written does not stop the work.
  package func append(_ line: String) {
    var text = line + "\n"
    text.withUTF8 { _ = write(descriptor, $0.baseAddress, $0.count) }
  }
}
