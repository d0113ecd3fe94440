// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SWTFormat

/// Vectors of NIST's SHA examples, on both implementations.
@Suite struct SHA256Tests {
  static let vectors: [(message: String, digest: String)] = [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      String(repeating: "a", count: 1_000_000),
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    ),
  ]

  @Test(arguments: vectors)
  func givesTheStandardsDigests(message: String, digest: String) {
    for var hash in [SHA256(), SHA256(portable: ())] {
      let bytes = Array(message.utf8)
      // In uneven pieces, so that block borders fall everywhere.
      for start in stride(from: 0, to: bytes.count, by: 977) {
        bytes[start..<min(start + 977, bytes.count)].withUnsafeBytes { hash.update($0) }
      }
      #expect(SHA256.hex(hash.finalize()) == digest)
    }
  }
}
