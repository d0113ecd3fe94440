// SPDX-License-Identifier: Apache-2.0
import FileIO
import TestSupport
import Testing

@testable import NPY

@Suite struct NPZArchiveTests {
  /// What `zlib.crc32` gives.
  @Test(arguments: [("", 0 as UInt32), ("123456789", 0xCBF4_3926), ("nntrain", 0xEE5F_9552)])
  func checksumsAreThoseOfZip(text: String, expected: UInt32) {
    #expect(NPZArchive.checksum(Array(text.utf8)) == expected)
  }
}
