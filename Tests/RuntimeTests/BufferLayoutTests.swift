// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SWTRuntime

@Suite struct BufferLayoutTests {
  @Test(arguments: [false, true])
  func buffersThatLiveAtTheSameTimeNeverOverlap(isGuarded: Bool) {
    var numbers = TestNumbers(seed: 3)
    for _ in 0..<20 {
      var buffers = Buffers()
      var lifetimes: [ClosedRange<Int>?] = []
      for _ in 0..<60 {
        _ = buffers.reserve(numbers.integer(0...1000))
        let first = numbers.integer(0...40)
        lifetimes.append(
          numbers.integer(0...9) == 0 ? nil : first...first + numbers.integer(0...8))
      }
      let layout = BufferLayout(buffers, lifetimes: lifetimes, isGuarded: isGuarded)
      let places = buffers.counts.indices.map {
        layout.offsets[$0]..<layout.offsets[$0] + buffers.counts[$0] + layout.guardCount
      }
      for one in places.indices {
        #expect(layout.offsets[one] % 64 == 0)
        #expect(places[one].upperBound <= layout.count)
        for other in places.indices where other > one {
          let together =
            lifetimes[one].flatMap { one in lifetimes[other].map { one.overlaps($0) } } ?? true
          #expect(!together || !places[one].overlaps(places[other]))
        }
      }
    }
  }

  /// Of buffers that follow each other, the next takes the place of the last but one.
  @Test func aChainTakesTheMemoryOfItsTwoLargestNeighbours() {
    var buffers = Buffers()
    var lifetimes: [ClosedRange<Int>?] = []
    for index in 0..<10 {
      _ = buffers.reserve(6400)
      lifetimes.append(index...index + 1)
    }
    #expect(BufferLayout(buffers, lifetimes: lifetimes).count == 2 * 6400)
  }
}
