// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Network
@testable import SWTRuntime

@Suite struct DeferralTests {
  @Test func normAndNonlinearityAreLeftToTheReader() {
    var sketch = GraphSketch()
    let first = sketch.convolution(sketch.input, channels: 16)
    let norm = sketch.norm(first)
    let relu = sketch.leakyReLU(norm, slope: 0.25)
    let second = sketch.convolution(relu, channels: 16)
    let layers = sketch.layers(second)
    #expect(layers.map(\.path) == ["conv1", "conv4"])
    // What is read is what the convolution wrote, with the slope.
    #expect(layers[1].storedInputs == [first])
    #expect(layers[1].reads[0].slope == 0.25)
    // The bias of the convolution goes with its norm.
    guard case .norm(_, let bias) = layers[0].affine else {
      Issue.record("\(layers[0].affine)")
      return
    }
    #expect(bias?.name == "conv1.bias")
  }

  @Test func aBiasWithoutNormIsLeftToTheReaderToo() {
    var sketch = GraphSketch()
    let output = sketch.convolution(sketch.input, channels: 16)
    guard case .bias(let bias) = sketch.layers(output)[0].affine else {
      Issue.record("the bias is lost")
      return
    }
    #expect(bias.name == "conv1.bias")
  }

  @Test func aConcatenationIsReadAsItsParts() {
    var sketch = GraphSketch()
    let first = sketch.convolution(sketch.input, channels: 16)
    let left = sketch.leakyReLU(first, slope: 0.5)
    let right = sketch.convolution(sketch.input, channels: 8)
    let both = sketch.concatenation(left, right)
    let output = sketch.convolution(both, channels: 4)
    let layers = sketch.layers(output)
    #expect(layers.count == 3)
    #expect(layers[2].storedInputs == [first, right])
    #expect(layers[2].reads.map(\.slope) == [0.5, 1])
  }

  /// A sum has to be written anyway, with what follows it.
  @Test func aSumAppliesItsNonlinearityItself() {
    var sketch = GraphSketch()
    let branch = sketch.convolution(sketch.input, channels: 16)
    let sum = sketch.sum(branch, sketch.input)
    let relu = sketch.leakyReLU(sum, slope: 0.1)
    let output = sketch.convolution(relu, channels: 16)
    let layers = sketch.layers(output)
    guard case .add(let slope) = layers[1].operation else {
      Issue.record("\(layers[1].operation)")
      return
    }
    #expect(slope == 0.1)
    #expect(layers[2].storedInputs == [sum])
    #expect(layers[2].reads[0].slope == 1)
  }

  @Test func aMapForTheCallerIsHandedOut() {
    var sketch = GraphSketch()
    let map = sketch.convolution(sketch.input, channels: 16)
    let relu = sketch.leakyReLU(map)
    let layers = sketch.layers(relu, maps: [relu: "stage 0"])
    #expect(layers.map(\.path) == ["conv1", "stage 0"])
    #expect(layers[1].reads[0].slope == 0.01)
  }
}
