// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The kernel's small text files, whose length is not known beforehand.
package enum SystemFile {
  /// Their first 64 KiB as text, or `nil` where they cannot be read.
  package static func text(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var count = 0
    while count < buffer.count {
      let part = buffer.withUnsafeMutableBytes { memory in
        read(descriptor, memory.baseAddress.map { $0 + count }, memory.count - count)
      }
      guard part > 0 else { break }
      count += part
    }
    return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
  }
}
