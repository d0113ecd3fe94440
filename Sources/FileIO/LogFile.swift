// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// A text file that grows line by line, so that what was told is there whatever happens next.
package final class LogFile: Sendable {
  // Invariant: opened in init, closed in deinit.
  private let descriptor: Int32

  /// Starts or goes on with the file at `path`.
  package init(path: String) throws(FileError) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o666)
    guard descriptor >= 0 else { throw .cannotCreate(path: path, errno: errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .outputNotAFile(path: path, kind: "no regular file")
    }
  }

  deinit { close(descriptor) }

  /// Adds a line. A log that cannot be written does not stop the work.
  package func append(_ line: String) {
    var text = line + "\n"
    text.withUTF8 { _ = write(descriptor, $0.baseAddress, $0.count) }
  }
}
