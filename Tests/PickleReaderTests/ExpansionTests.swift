// SPDX-License-Identifier: Apache-2.0
import FileIO
import Testing

@testable import PickleReader

/// What inflates beyond measure is refused before memory is taken.
@Suite struct ExpansionTests {
  @Test func aBombIsRefusedUnopened() {
    let stored = Bytes([UInt8](repeating: 0, count: 400_000))
    let error = #expect(throws: PickleError.self) {
      try Inflater.inflate(stored, to: 400_000_000, entry: "bomb")
    }
    #expect(error.map { "\($0)".contains("64-fold") } == true)
  }

  @Test func anImpossibleSizeIsRefusedUnopened() {
    let error = #expect(throws: PickleError.self) {
      try Inflater.inflate(Bytes([3, 0]), to: 1_000_000, entry: "liar")
    }
    #expect(error.map { "\($0)".contains("declares") } == true)
  }

  /// Each would be read soon; a million of them would not.
  @Test func archivesOfVeryManyEntriesAreRefusedUnread() {
    let count = 30_001
    let size = 46 * count
    var bytes = [UInt8](repeating: 0, count: size) + [0x50, 0x4B, 0x05, 0x06, 0, 0, 0, 0]
    func append(_ value: Int, _ width: Int) {
      for index in 0..<width { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }
    for (value, width) in [(count, 2), (count, 2), (size, 4), (0, 4), (0, 2)] {
      append(value, width)
    }
    let error = #expect(throws: PickleError.self) { try ZipArchive(Bytes(bytes)) }
    #expect(error.map { "\($0)".contains("cannot hold \(count) entries") } == true)
  }
}
