#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The standard output and error streams, written without buffering in between.
package enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Whether a person sits in front of it.
  package var isTerminal: Bool { isatty(rawValue) == 1 }

  /// Writes text; false where the reader has gone or the disk is full.
  @discardableResult
  package func write(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { buffer in
      var done = 0
      while done < buffer.count {
        let written = systemWrite(
          rawValue, buffer.baseAddress.map { $0 + done }, buffer.count - done)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { return false }
        done += written
      }
      return true
    }
  }

  /// Writes a line.
  @discardableResult
  package func writeLine(_ text: String) -> Bool { write(text + "\n") }
}

/// The system call, under a name that the method above does not hide.
private func systemWrite(_ descriptor: Int32, _ start: UnsafePointer<UInt8>?, _ count: Int) -> Int {
  write(descriptor, start, count)
}
