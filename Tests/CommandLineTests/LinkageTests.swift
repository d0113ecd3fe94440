// SPDX-License-Identifier: Apache-2.0
import FileIO
import Glibc
import TestSupport
import Testing

/// The runtime is lean: nothing of the converter or of the pickle reader is in it.
@Suite struct LinkageTests {
  @Test(arguments: [("nnrun", false), ("nnconvert", true)])
  func onlyTheConverterKnowsPickles(name: String, expected: Bool) throws {
    let binary = try MappedFile(path: Command.path(of: name)).bytes
    for module in ["PickleReader", "9Converter"] {
      #expect(binary.contains(Array(module.utf8)) == expected, "\(module) in \(name)")
    }
  }

  /// So is training in none but its own command.
  @Test(arguments: [("nnrun", false), ("nnconvert", false), ("nntrain", true)])
  func onlyNntrainTrains(name: String, expected: Bool) throws {
    let binary = try MappedFile(path: Command.path(of: name)).bytes
    #expect(binary.contains(Array("s8Training".utf8)) == expected)
  }
}

extension Bytes {
  /// By the C library: a binary of a debug build has a hundred million bytes.
  fileprivate func contains(_ pattern: [UInt8]) -> Bool {
    array.withUnsafeBytes { bytes in
      guard var place = bytes.baseAddress else { return false }
      let end = place + bytes.count - pattern.count
      while place <= end, let found = memchr(place, Int32(pattern[0]), end - place + 1) {
        if memcmp(found, pattern, pattern.count) == 0 { return true }
        place = UnsafeRawPointer(found) + 1
      }
      return false
    }
  }
}
