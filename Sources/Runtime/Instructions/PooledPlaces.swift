// SPDX-License-Identifier: Apache-2.0
internal import Network
internal import SWTFormat

/// Which of the pooled features a stage's map gives: where its channels' means and maxima begin.
struct PooledPlaces: Sendable {
  struct Columns: Sendable {
    var mean: Int?
    var maximum: Int?

    var isEmpty: Bool { mean == nil && maximum == nil }
  }

  let stage: Int
  /// Over all voxels.
  var all = Columns()
  /// Over those of the nonzero region.
  var nonzero = Columns()

  private init(stage: Int) { self.stage = stage }

  /// The places of everything that is pooled, one after the other, by the map that it is pooled of, and how many
  /// numbers there are.
  static func places(
    of pooling: [Classifier.Pooling], in graph: Graph
  ) -> (places: [Graph.Value: PooledPlaces], count: Int) {
    var result: [Graph.Value: PooledPlaces] = [:]
    var count = 0
    for entry in pooling {
      let value = graph.skips[entry.stage]
      var places = result[value] ?? PooledPlaces(stage: entry.stage)
      switch entry.statistic {
      case .mean: places.all.mean = count
      case .max: places.all.maximum = count
      case .nonzeroMean: places.nonzero.mean = count
      case .nonzeroMax: places.nonzero.maximum = count
      }
      result[value] = places
      count += graph.width(of: value)
    }
    return (result, count)
  }
}
