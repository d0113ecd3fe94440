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
    // The caller's input is not blocked: of Winograd's convolutions only the one along rows reads it.
    #expect(layers[0].method == (isDirectOnly || size < 8 ? .direct : .rows))
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

  /// Of the layers before a norm over a quarter of an input's size, and of the one after it.
  private func methods(
    _ size: [Int], channels: Int = 64, features: Int = 64
  ) throws -> [ConvolutionMethod?] {
    var sketch = GraphSketch()
    var value = sketch.convolution(sketch.input, channels: channels)
    for stride in [1, 2] { value = sketch.convolution(value, channels: channels, stride: stride) }
    value = sketch.convolution(value, channels: features, stride: 2)
    let after = sketch.convolution(sketch.norm(value), channels: 64)
    let layers = AlgorithmChoice(target: Target(kernels: Kernels.available[0], threads: 1)).apply(
      to: sketch.layers(after),
      shapes: try sketch.shapes(after, inputShape: [16] + size))
    return layers.map(\.method)
  }

  @Test(arguments: [([32, 32, 32], 64), ([8, 8, 8], 320)])
  func largeTilesAreTakenBeforeANormOverEightVoxelsOrMore(size: [Int], channels: Int) throws {
    let methods = try methods(size, channels: channels)
    #expect(methods[0] == .rows)
    #expect(methods[1]?.tileSizes?.isSmall == false)
  }

  @Test func smallTilesAreTakenBeforeANormOverFewVoxels() throws {
    let methods = try methods([4, 8, 8])
    #expect(methods[0] == .direct)
    #expect(methods[1]?.tileSizes?.isSmall == true)
    for method in methods.dropFirst(2).dropLast() { #expect(method?.tileSizes?.isSmall != false) }
  }

  @Test(arguments: [(512, false), (1024, true)])
  func smallTilesAreTakenBeforeANormOfVeryManyFeatures(features: Int, isSmall: Bool) throws {
    let methods = try methods([32, 32, 32], features: features)
    #expect(methods[0] == (isSmall ? .direct : .rows))
    #expect(methods[1]?.tileSizes?.isSmall == isSmall)
  }

  @Test func comparisonsCanForceTheDefinition() throws {
    #expect(try method(channels: 64, isDirectOnly: true) == .direct)
  }

  /// Small layers take plain sums; cases that run together count as one layer.
  @Test(arguments: [(12, 1, false), (16, 1, true), (12, 4, true)])
  func trainingTakesTilesForLayersWithMuchToMultiply(size: Int, cases: Int, hasTiles: Bool) {
    let geometry = ConvolutionGeometry(
      inputChannels: 64, outputChannels: 64, kernel: Extent3(z: 3, y: 3, x: 3),
      stride: Extent3(z: 1, y: 1, x: 1), input: Extent3(z: size, y: size, x: size))
    var target = Target(kernels: Kernels.available[0], threads: 1)
    for isGradient in [false, true] {
      let choice = AlgorithmChoice(target: target)
        .tileSizesOfTrained(geometry, cases: cases, isGradient: isGradient)
      #expect((choice != nil) == hasTiles)
    }
    target.fewestTrainedProducts = 0
    #expect(
      AlgorithmChoice(target: target)
        .tileSizesOfTrained(geometry, cases: cases, isGradient: true) != nil)
  }

  @Test func onlyConvolutionsGetAMethod() throws {
    var sketch = GraphSketch()
    let pool = sketch.averagePool(sketch.input, window: 2)
    let layers = AlgorithmChoice(target: Target(kernels: Kernels.available[0], threads: 1)).apply(
      to: sketch.layers(pool), shapes: try sketch.shapes(pool, inputShape: [16, 8, 8, 8]))
    #expect(layers.map { $0.method == nil } == [true])
  }
}

extension ConvolutionMethod {
  fileprivate var tileSizes: WinogradTileSizes? {
    switch self {
    case .fused(let tileSizes), .staged(let tileSizes): tileSizes
    case .direct, .directBf16, .rows: nil
    }
  }
}
