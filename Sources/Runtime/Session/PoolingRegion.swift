// SPDX-License-Identifier: Apache-2.0
internal import Network
package import SWTFormat

/// The voxels of an input that lie in the scan's nonzero region, on the grids of stages: a stage's voxel lies in it
/// where at least half of those that it stands for do. Where a stage has no such voxel, all of its voxels count.
package struct PoolingRegion: Sendable, Equatable {
  /// Of every stage the voxels, as runs along the array.
  private let runs: [Int: [Range<Int>]]

  /// - Parameters:
  ///   - mask: 0 outside, `[z, y, x]` or `[y, x]`.
  ///   - sizes: the mask's.
  ///   - stageSizes: of every stage that is pooled.
  package init(
    mask: [Float], sizes: [Int], stageSizes: [Int: [Int]]
  ) {
    precondition(mask.count == sizes.reduce(1, *))
    runs = stageSizes.mapValues { Self.runs(mask, sizes: sizes, stageSizes: $0) }
  }

  func runs(ofStage stage: Int) -> [Range<Int>] { runs[stage] ?? [] }

  /// Whether a stage's voxels lie in it, in the order of the array.
  package func contains(ofStage stage: Int, count: Int) -> [Bool] {
    var result = [Bool](repeating: false, count: count)
    for run in runs(ofStage: stage) {
      for voxel in run { result[voxel] = true }
    }
    return result
  }

  private static func runs(
    _ mask: [Float], sizes: [Int], stageSizes: [Int]
  ) -> [Range<Int>] {
    // Counts of voxels inside, added up along one axis after the other, the last one first.
    var counts = mask.map { $0 == 0 ? 0 : 1 as Int32 }
    var whole: [[Int32]] = []
    for axis in sizes.indices.reversed() {
      let spans = Self.spans(sizes[axis], stageSizes[axis])
      let inner = stageSizes[(axis + 1)...].reduce(1, *)
      let outer = sizes[..<axis].reduce(1, *)
      var sums = [Int32](repeating: 0, count: outer * spans.count * inner)
      for row in 0..<outer {
        for (place, span) in spans.enumerated() {
          let target = (row * spans.count + place) * inner
          for input in span {
            let source = (row * sizes[axis] + input) * inner
            for index in 0..<inner { sums[target + index] += counts[source + index] }
          }
        }
      }
      counts = sums
      whole.insert(spans.map { Int32($0.count) }, at: 0)
    }
    var runs: [Range<Int>] = []
    var first: Int?
    for voxel in counts.indices {
      var (left, volume) = (voxel, 1 as Int32)
      for axis in sizes.indices.reversed() {
        volume *= whole[axis][left % stageSizes[axis]]
        left /= stageSizes[axis]
      }
      if 2 * counts[voxel] >= volume {
        first = first ?? voxel
      } else if let start = first {
        runs.append(start..<voxel)
        first = nil
      }
    }
    if let start = first { runs.append(start..<counts.count) }
    return runs.isEmpty ? [0..<counts.count] : runs
  }

  /// What every output stands for: `AdaptiveAvgPool`'s windows.
  private static func spans(_ size: Int, _ outputs: Int) -> [Range<Int>] {
    (0..<outputs).map { $0 * size / outputs..<(($0 + 1) * size + outputs - 1) / outputs }
  }
}

extension Model {
  /// A region of an input, on the grids of the stages that some features are pooled of.
  ///
  /// - Parameters:
  ///   - mask: as many voxels as a channel of the input; 0 outside.
  ///   - inputShape: `[channels, z, y, x]` or `[channels, y, x]`.
  package func region(
    of mask: [Float], inputShape: [Int], pooling: [Classifier.Pooling]
  ) throws(RuntimeError) -> PoolingRegion {
    let stages = Set(pooling.filter { $0.statistic.isOfNonzero }.map(\.stage))
    let values = stages.sorted().map { graph.skips[$0] }
    let shapes = try Shapes(graph, nodes: graph.nodes(for: values), inputShape: inputShape)
    return PoolingRegion(
      mask: mask, sizes: Array(inputShape.dropFirst()),
      stageSizes: Dictionary(
        uniqueKeysWithValues: zip(
          stages.sorted(), values.map { shapes[$0].sizes(dimension: inputShape.count - 1) })))
  }
}
