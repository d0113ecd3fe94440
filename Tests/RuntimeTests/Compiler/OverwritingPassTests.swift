// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Network
@testable import SWTRuntime

/// Which buffers `Overwriting` lets layers write over; that no bit changes by it is for `OverwritingTests`.
@Suite struct OverwritingPassTests {
  private func overwritten(
    _ sketch: GraphSketch, _ output: Graph.Value, slices: Int = 2
  ) -> [Layer.Overwritten?] {
    Overwriting(graph: sketch.graph, slackSlices: { _ in slices }).apply(to: sketch.layers(output))
      .map(\.overwrites)
  }

  @Test func aConvolutionGoesOverAnInputThatNothingElseReads() {
    var sketch = GraphSketch()
    let first = sketch.convolution(sketch.input, channels: 32)
    let second = sketch.convolution(first, channels: 32)
    let found = overwritten(sketch, second)
    #expect(found[0] == nil, "the caller's input stays as it is")
    #expect(found[1]?.value == first)
    #expect(found[1]?.slices == 2)
  }

  @Test func theOwnerGetsTheSpareSlices() {
    var sketch = GraphSketch()
    let first = sketch.convolution(sketch.input, channels: 32)
    let second = sketch.convolution(first, channels: 32)
    let third = sketch.convolution(second, channels: 32)
    let layers = Overwriting(graph: sketch.graph, slackSlices: { _ in 2 }).apply(
      to: sketch.layers(third))
    // Twice over the same buffer.
    #expect(layers.map(\.slackSlices) == [4, 0, 0])
  }

  @Test func whatIsReadLaterIsLeftAlone() {
    var sketch = GraphSketch()
    let first = sketch.convolution(sketch.input, channels: 32)
    let second = sketch.convolution(first, channels: 32)
    let sum = sketch.sum(second, first)
    let found = overwritten(sketch, sum)
    #expect(found[1] == nil)
    // The sum goes over its branch.
    #expect(found[2]?.value == second)
    #expect(found[2]?.slices == 0)
  }

  @Test func otherWidthsDoNotFit() {
    var sketch = GraphSketch()
    let first = sketch.convolution(sketch.input, channels: 32)
    let second = sketch.convolution(first, channels: 48)
    #expect(overwritten(sketch, second)[1] == nil)
  }

  @Test func whereAConvolutionCannotNothingIsWrittenOver() {
    var sketch = GraphSketch()
    let first = sketch.convolution(sketch.input, channels: 32)
    let second = sketch.convolution(first, channels: 32)
    #expect(overwritten(sketch, second, slices: 0)[1] == nil)
  }
}
