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
}
