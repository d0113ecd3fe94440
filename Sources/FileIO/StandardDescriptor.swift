// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The descriptors that every process starts with.
enum StandardDescriptor: Int32 {
  case output = 1
  case error = 2

  var isTerminal: Bool { isatty(rawValue) == 1 }

  /// Writes all of `text`; the `errno` where that fails.
  func write(_ text: String) -> Int32? {
    var text = text
    return text.withUTF8 { buffer in
      var done = 0
      while done < buffer.count {
        let written = systemWrite(
          rawValue, buffer.baseAddress.map { $0 + done }, buffer.count - done)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { return errno }
        done += written
      }
      return nil
    }
  }
}

/// The system call, under a name that the method above does not hide.
private func systemWrite(_ descriptor: Int32, _ start: UnsafePointer<UInt8>?, _ count: Int) -> Int {
  write(descriptor, start, count)
}
