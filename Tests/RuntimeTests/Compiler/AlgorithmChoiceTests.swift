// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SWTRuntime

@Suite struct AlgorithmChoiceTests {
  private func method(
    channels: Int, stride: Int = 1, size: Int = 32, isDirectOnly: Bool = false
  ) throws -> ConvolutionMethod? {
    var sketch = GraphSketch()
    let first = sketch.convolution(sketch.input, channels: channels)
    let second = sketch.convolution(first, channels: channels, stride: stride)
    var target = Target(kernels: Kernels.available[0], threads: 1)
    target.isDirectOnly = isDirectOnly
    let layers = AlgorithmChoice(target: target).apply(
      to: sketch.layers(second),
      shapes: try sketch.shapes(second, inputShape: [16, size, size, size]))
    // The caller's input is not blocked, which only direct convolution reads.
    #expect(layers[0].method == .direct)
    return layers[1].method
  }

  @Test func largeLayersOfStrideOneAreComputedByWinograd() throws {
    let method = try method(channels: 64)
    switch method {
    case .fused, .staged: break
    default: Issue.record("\(method?.name ?? "none")")
    }
  }

  @Test func layersOfOneVoxelAreComputedAsTheyAreDefined() throws {
    #expect(try method(channels: 16, size: 1) == .direct)
  }

  @Test func comparisonsCanForceTheDefinition() throws {
    #expect(try method(channels: 64, isDirectOnly: true) == .direct)
  }

  @Test func onlyConvolutionsGetAMethod() throws {
    var sketch = GraphSketch()
    let pool = sketch.averagePool(sketch.input, window: 2)
    let layers = AlgorithmChoice(target: Target(kernels: Kernels.available[0], threads: 1)).apply(
      to: sketch.layers(pool), shapes: try sketch.shapes(pool, inputShape: [16, 8, 8, 8]))
    #expect(layers.map { $0.method == nil } == [true])
  }
}
