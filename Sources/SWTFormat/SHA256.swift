// SPDX-License-Identifier: Apache-2.0
internal import CSHA256
package import FileIO

/// SHA-256 (FIPS 180-4), with the processor's instructions for it where there are any.
package struct SHA256 {
  private var state: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
    0x5be0_cd19,
  ]
  private var pending: [UInt8] = []
  private var byteCount: UInt64 = 0
  private let compress: nn_sha256_compress_function

  package init() { compress = nn_sha256_fastest() }

  /// Forces the portable implementation, for tests.
  init(portable: Void) { compress = nn_sha256_compress_portable }

  /// Absorbs more bytes.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    byteCount &+= UInt64(bytes.count)
    var rest = bytes[...]
    if !pending.isEmpty {
      let taken = rest.prefix(64 - pending.count)
      pending += taken
      rest = rest.dropFirst(taken.count)
      guard pending.count == 64 else { return }
      pending.withUnsafeBytes { absorb(UnsafeRawBufferPointer($0), blocks: 1) }
      pending.removeAll(keepingCapacity: true)
    }
    let blocks = rest.count / 64
    if blocks > 0 {
      absorb(UnsafeRawBufferPointer(rebasing: rest), blocks: blocks)
    }
    pending += rest.dropFirst(blocks * 64)
  }

  private mutating func absorb(_ bytes: UnsafeRawBufferPointer, blocks: Int) {
    guard let start = bytes.baseAddress else { return }
    state.withUnsafeMutableBufferPointer { state in
      guard let words = state.baseAddress else { return }
      compress(words, start, blocks)
    }
  }

  /// The digest, 32 bytes.
  package consuming func finalize() -> [UInt8] {
    let bitCount = byteCount &* 8
    var tail = [UInt8](repeating: 0, count: (pending.count < 56 ? 64 : 128) - pending.count)
    tail[0] = 0x80
    for index in 0..<8 {
      tail[tail.count - 1 - index] = UInt8(truncatingIfNeeded: bitCount >> (8 * UInt64(index)))
    }
    tail.withUnsafeBytes { update($0) }
    return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
    }
  }

  /// The digest of `bytes`.
  package static func digest(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var hash = SHA256()
    hash.update(bytes)
    return hash.finalize()
  }

  /// The digest of `bytes`.
  package static func digest(of bytes: Bytes) -> [UInt8] {
    bytes.withUnsafeBytes { digest(of: $0) }
  }

  /// Lower-case hexadecimal digits.
  package static func hex(_ digest: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
