// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Network
@testable import SWTRuntime

@Suite struct RecomputationTests {
  /// Stem, two convolutions, and a sum with the stem.
  private func block(stemReaders: Int = 1) -> (sketch: GraphSketch, sum: Graph.Value) {
    var sketch = GraphSketch(inputChannels: 1)
    let stem = sketch.convolution(sketch.input, channels: 16)
    let relu = sketch.leakyReLU(stem)
    var branch = sketch.convolution(relu, channels: 16)
    for _ in 1..<stemReaders {
      let other = sketch.convolution(relu, channels: 16)
      branch = sketch.sum(branch, other)
    }
    let second = sketch.convolution(branch, channels: 16)
    let sum = sketch.sum(second, relu)
    return (sketch, sum)
  }

  @Test func aStemThatIsWrittenOverIsComputedTwice() throws {
    let (sketch, sum) = block()
    let layers = Recomputation(slackSlices: { _ in 2 }).apply(to: sketch.layers(sum))
    let last = try #require(layers.last)
    #expect(last.reads.count == 1)
    #expect(last.recomputes?.layer == 0)
    #expect(last.recomputes?.reading.slope == 0.01)
    #expect(layers.dropLast().allSatisfy { $0.recomputes == nil })
  }

  @Test func nothingIsComputedTwiceWhereNothingIsSaved() {
    let (sketch, sum) = block()
    let layers = Recomputation(slackSlices: { _ in 0 }).apply(to: sketch.layers(sum))
    #expect(layers.allSatisfy { $0.recomputes == nil })
  }

  @Test func aStemWithOtherReadersIsKept() {
    let (sketch, sum) = block(stemReaders: 2)
    let layers = Recomputation(slackSlices: { _ in 2 }).apply(to: sketch.layers(sum))
    #expect(layers.last?.recomputes == nil)
  }
}
