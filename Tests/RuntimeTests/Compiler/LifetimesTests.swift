// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SWTRuntime

@Suite struct LifetimesTests {
  private struct Use: Instruction {
    let name = "use"
    let buffers: [Buffer]

    func run(_ context: RunContext) {}
  }

  @Test func buffersLiveFromTheirFirstUseToTheirLast() {
    var buffers = Buffers()
    let (first, second, unused) = (buffers.reserve(8), buffers.reserve(8), buffers.reserve(8))
    let result = Lifetimes.of(
      buffers, in: [Use(buffers: [first]), Use(buffers: [first, second]), Use(buffers: [second])],
      kept: [])
    #expect(result == [0...1, 1...2, nil])
    #expect(result[unused.index] == nil)
  }

  @Test func resultsLiveToTheEndAndConstantsAlways() {
    var buffers = Buffers()
    let result = buffers.reserve(8)
    let constant = buffers.constant([1, 2])
    let lifetimes = Lifetimes.of(
      buffers, in: [Use(buffers: [result, constant]), Use(buffers: []), Use(buffers: [])],
      kept: [result])
    #expect(lifetimes == [0...3, nil])
  }
}
