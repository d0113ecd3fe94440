// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The lines of the standard input, read without a buffer that hides what has arrived.
package struct LineReader {
  private var pending: [UInt8] = []
  private var start = 0
  private var hasEnded = false

  /// The longest line in bytes; what is longer is cut there.
  private static let longest = 1 << 20

  package init() {}

  /// The next line without its end; `nil` at the end of the input, or where `waiting` says so.
  ///
  /// - Parameter waiting: waits for more input; `false` ends the lines.
  package mutating func next(waiting: () -> Bool) -> String? {
    while true {
      if let end = pending[start...].firstIndex(of: 10) {
        defer { start = end + 1 }
        return String(decoding: pending[start..<end], as: UTF8.self)
      }
      if hasEnded || pending.count - start >= Self.longest {
        guard start < pending.count else { return nil }
        defer { start = pending.count }
        return String(decoding: pending[start...], as: UTF8.self)
      }
      pending.removeFirst(start)
      start = 0
      guard waiting() else { return nil }
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      let count = buffer.withUnsafeMutableBytes { read(0, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      if count <= 0 { hasEnded = true } else { pending += buffer[..<count] }
    }
  }
}
