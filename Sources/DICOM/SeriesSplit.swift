// SPDX-License-Identifier: Apache-2.0
/// Tells the volumes of one series apart.
struct SeriesSplit {
  struct Part {
    let slices: [Slice]
    let split: (key: SplittingKey, value: String)?
  }

  /// Positions to a thousandth of a millimetre.
  private struct Place: Hashable, Comparable {
    let coordinates: [Int]

    init(_ position: [Double]) { coordinates = position.map { Int(($0 * 1_000).rounded()) } }

    static func < (first: Place, second: Place) -> Bool {
      first.coordinates.lexicographicallyPrecedes(second.coordinates)
    }
  }

  /// One part where no position repeats; else those of the first key that gives every part the same
  /// positions, each once.
  static func parts(of slices: [Slice]) throws(DICOMError) -> [Part] {
    let places = slices.compactMap { $0.position.map(Place.init) }
    guard places.count == slices.count, Set(places).count < places.count else {
      return [Part(slices: slices, split: nil)]
    }
    for key in SplittingKey.allCases {
      var groups: [String: [Int]] = [:]
      for (index, slice) in slices.enumerated() {
        groups[slice.splittingValues[key] ?? "", default: []].append(index)
      }
      guard groups.count > 1 else { continue }
      let sets = groups.values.map { Set($0.map { places[$0] }) }
      guard zip(groups.values, sets).allSatisfy({ $0.count == $1.count && $1 == sets[0] }) else {
        continue
      }
      return groups.sorted { Self.precedes($0.key, $1.key) }.map { value, indices in
        Part(slices: indices.map { slices[$0] }, split: (key, value.isEmpty ? "unknown" : value))
      }
    }
    throw DICOMError(.position, "has images at one place that nothing tells apart")
  }

  /// Numbers by their size.
  private static func precedes(_ first: String, _ second: String) -> Bool {
    guard let one = Double(first), let other = Double(second), one != other else {
      return first < second
    }
    return one < other
  }
}
