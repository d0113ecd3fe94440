// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SWTRuntime

@Suite struct ShapesTests {
  @Test(arguments: [(1, [10, 11, 12]), (2, [5, 6, 6]), (3, [4, 4, 4])])
  func convolutionsHaveNNUNetsPadding(stride: Int, expected: [Int]) throws {
    var sketch = GraphSketch()
    let output = sketch.convolution(sketch.input, channels: 8, stride: stride)
    let shapes = try sketch.shapes(output, inputShape: [16, 10, 11, 12])
    #expect(shapes[output].sizes(dimension: 3) == expected)
  }

  @Test func normsAndNonlinearitiesKeepTheSize() throws {
    var sketch = GraphSketch()
    let map = sketch.convolution(sketch.input, channels: 8)
    let norm = sketch.norm(map)
    let output = sketch.leakyReLU(norm)
    let shapes = try sketch.shapes(output, inputShape: [16, 3, 4, 5])
    #expect(shapes[output] == Extent3(z: 3, y: 4, x: 5))
  }

  @Test func poolingLeavesTheRestOfAnOddSize() throws {
    var sketch = GraphSketch()
    let output = sketch.averagePool(sketch.input, window: 2)
    let shapes = try sketch.shapes(output, inputShape: [16, 7, 6, 5])
    #expect(shapes[output] == Extent3(z: 3, y: 3, x: 2))
  }

  @Test func aSingleVoxelHasNoInstanceStatistics() {
    var sketch = GraphSketch()
    let map = sketch.convolution(sketch.input, channels: 8, stride: 2)
    let output = sketch.norm(map)
    #expect {
      _ = try sketch.shapes(output, inputShape: [16, 2, 2, 2])
    } throws: { "\($0)".contains("one voxel") && "\($0)".contains("larger input") }
    #expect(throws: Never.self) { try sketch.shapes(output, inputShape: [16, 3, 2, 2]) }
  }

  /// A skip that is pooled and a branch with a stride round odd sizes differently.
  @Test func sumsOfDifferentSizesAreRefusedWithTheDivisor() {
    var sketch = GraphSketch()
    let branch = sketch.convolution(sketch.input, channels: 16, stride: 2)
    let skip = sketch.averagePool(sketch.input, window: 2)
    let output = sketch.sum(branch, skip)
    #expect(throws: Never.self) { try sketch.shapes(output, inputShape: [16, 8, 8, 8]) }
    #expect(throws: RuntimeError.self) { try sketch.shapes(output, inputShape: [16, 7, 8, 8]) }
  }
}
