// SPDX-License-Identifier: Apache-2.0
internal import Preprocessing
internal import SWTFormat

/// Counts and places of a segmentation's labels, `[z, y, x]`.
struct LabelCounts {
  private struct Entry {
    var count = 0
    var sums = SIMD3<Int>()
    var lows = SIMD3(repeating: Int.max)
    var highs = SIMD3<Int>()

    /// Adds voxels of a row, `first...last`.
    mutating func add(_ first: Int, _ last: Int, y: Int, z: Int) {
      let length = last - first + 1
      count += length
      sums &+= SIMD3((first + last) * length / 2, y * length, z * length)
      lows = pointwiseMin(lows, SIMD3(first, y, z))
      highs = pointwiseMax(highs, SIMD3(last + 1, y + 1, z + 1))
    }

    static func + (first: Entry, second: Entry) -> Entry {
      Entry(
        count: first.count + second.count, sums: first.sums &+ second.sums,
        lows: pointwiseMin(first.lows, second.lows),
        highs: pointwiseMax(first.highs, second.highs))
    }
  }

  private var entries: [UInt16: Entry] = [:]
  private let labels: [UInt16]
  private let shape: [Int]

  init(_ labels: [UInt16], shape: [Int]) {
    self.labels = labels
    self.shape = shape
    let width = shape[2]
    for row in 0..<shape[0] * shape[1] {
      var first = 0
      for x in 0..<width {
        let label = labels[row * width + x]
        guard x == width - 1 || labels[row * width + x + 1] != label else { continue }
        if label != 0 {
          entries[label, default: Entry()].add(first, x, y: row % shape[1], z: row / shape[1])
        }
        first = x + 1
      }
    }
  }

  /// What there is of labels of dataset.json, of all but background and ignore.
  ///
  /// - Parameter geometry: where voxels lie.
  func statistics(
    _ labels: [LabelDescription.Label], geometry: ScanGeometry
  ) -> [LabelStatistics] {
    let wanted = labels.filter { $0.name != "ignore" && $0.values != [0] }
    let plain = Set(wanted.filter { $0.values.count == 1 }.flatMap(\.values))
    let counts = components(plain.map { [$0] })
    return wanted.map { label in
      let entry = label.values.compactMap { UInt16(exactly: $0).flatMap { entries[$0] } }
        .reduce(Entry()) { $0 + $1 }
      let pieces =
        label.values.count == 1
        ? counts[label.values[0]] ?? 0 : components([label.values])[label.values[0]] ?? 0
      let isThere = entry.count > 0
      return LabelStatistics(
        name: label.name, values: label.values, voxelCount: entry.count,
        volume: geometry.voxelVolume.map { $0 * Double(entry.count) / 1000 },
        boundingBox: isThere
          ? geometry.fileBox((0..<3).map { entry.lows[$0]..<entry.highs[$0] }) : nil,
        centroid: isThere
          ? geometry.position((0..<3).map { Double(entry.sums[$0]) / Double(entry.count) }) : nil,
        componentCount: pieces)
    }
  }

  /// Numbers of components of groups of labels that do not share any, by each group's first.
  private func components(_ groups: [[Int]]) -> [Int: Int] {
    var classOf = [UInt16](repeating: 0, count: (groups.joined().max() ?? 0) + 1)
    for group in groups {
      for label in group where label > 0 { classOf[label] = UInt16(clamping: group[0]) }
    }
    let counts = ConnectedComponents.counts(of: labels, shape: shape, classOf: classOf)
    return Dictionary(uniqueKeysWithValues: counts.map { (Int($0), $1) })
  }
}

extension ScanGeometry {
  /// In mm³; a picture has none.
  fileprivate var voxelVolume: Double? { isTwoDimensional ? nil : spacing.reduce(1, *) }

  /// In mm, of a place in voxels `(x, y, z)` of the array.
  fileprivate func position(_ place: [Double]) -> [Double] {
    let affine = arrayAffine
    return zip(affine.matrix * place, affine.offset).map { $0 + $1 }
  }

  /// A box of the array, `[x, y, z]`, in the file.
  fileprivate func fileBox(_ box: [Range<Int>]) -> [Range<Int>] {
    var result = box
    for (axis, source) in turning.sources.enumerated() {
      let range = box[axis]
      result[source] =
        turning.isFlipped[axis]
        ? sizes[source] - range.upperBound..<sizes[source] - range.lowerBound : range
    }
    return result
  }
}
