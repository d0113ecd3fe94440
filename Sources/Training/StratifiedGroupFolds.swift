// SPDX-License-Identifier: Apache-2.0
/// scikit-learn's `StratifiedGroupKFold` without shuffling: every group in one fold, the classes'
/// shares as even as its greedy rule makes them.
package enum StratifiedGroupFolds {
  /// The test fold of every case.
  ///
  /// - Parameters:
  ///   - labels: the class of every case, `0..<classCount`; classes in code-point order of their names.
  ///   - groups: the group of every case, `0..<groupCount`; groups in code-point order of their names.
  package static func make(labels: [Int], groups: [Int], count: Int) -> [Int] {
    // Only what occurs counts: a training part may lack a group, or a class.
    let (labels, classCount) = ranks(labels)
    let (groups, groupCount) = ranks(groups)
    var counts = Matrix(rows: groupCount, columns: classCount)
    var totals = [Double](repeating: 0, count: classCount)
    for (label, group) in zip(labels, groups) {
      counts[group, label] += 1
      totals[label] += 1
    }
    let spread = (0..<groupCount).map { standardDeviation(Array(counts.row($0))) }
    // Stable, as NumPy's: groups of one spread stay in their order.
    let order = (0..<groupCount).sorted { (-spread[$0], $0) < (-spread[$1], $1) }
    var perFold = Matrix(rows: count, columns: classCount)
    var foldOfGroup = [Int](repeating: 0, count: groupCount)
    for group in order {
      let own = Array(counts.row(group))
      let fold = bestFold(for: own, perFold: &perFold, totals: totals)
      for label in own.indices { perFold[fold, label] += own[label] }
      foldOfGroup[group] = fold
    }
    return groups.map { foldOfGroup[$0] }
  }

  private static func bestFold(
    for own: [Double], perFold: inout Matrix, totals: [Double]
  ) -> Int {
    var best = 0
    var smallest = Double.infinity
    var smallestSize = Double.infinity
    for fold in 0..<perFold.rows {
      for label in own.indices { perFold[fold, label] += own[label] }
      let evenness = evenness(of: perFold, totals: totals)
      for label in own.indices { perFold[fold, label] -= own[label] }
      let size = sum(Array(perFold.row(fold)))
      // `numpy.isclose`, which is true of nothing near infinity.
      let isClose =
        smallest.isFinite && abs(evenness - smallest) <= 1e-8 + 1e-5 * abs(smallest)
      if evenness < smallest || (isClose && size < smallestSize) {
        (best, smallest, smallestSize) = (fold, evenness, size)
      }
    }
    return best
  }

  /// The mean over classes of how much their shares differ between folds.
  private static func evenness(of perFold: Matrix, totals: [Double]) -> Double {
    let folds = Double(perFold.rows)
    let deviations = totals.indices.map { label in
      let shares = (0..<perFold.rows).map { perFold[$0, label] / totals[label] }
      // NumPy adds along the first axis one after the other, along the last as `sum` does.
      let mean = shares.reduce(0, +) / folds
      return (shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / folds).squareRoot()
    }
    return sum(deviations) / Double(deviations.count)
  }

  private static func standardDeviation(_ values: [Double]) -> Double {
    let count = Double(values.count)
    let mean = sum(values) / count
    return (sum(values.map { ($0 - mean) * ($0 - mean) }) / count).squareRoot()
  }

  /// The numbers that occur, as `0..<count` in their order.
  private static func ranks(_ values: [Int]) -> (ranks: [Int], count: Int) {
    let sorted = Set(values).sorted()
    let rank = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, $0) })
    return (values.map { rank[$0] ?? 0 }, sorted.count)
  }

  /// NumPy's sum along the last axis: its order decides which groups tie.
  private static func sum(_ values: [Double]) -> Double {
    sum(values[...])
  }

  private static func sum(_ values: ArraySlice<Double>) -> Double {
    guard values.count >= 8 else { return values.reduce(0, +) }
    guard values.count <= 128 else {
      let half = values.count / 2 - values.count / 2 % 8
      return sum(values.prefix(half)) + sum(values.dropFirst(half))
    }
    var lanes = Array(values.prefix(8))
    var index = values.startIndex + 8
    while index + 8 <= values.endIndex {
      for lane in 0..<8 { lanes[lane] += values[index + lane] }
      index += 8
    }
    let whole =
      ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]))
      + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]))
    return values[index...].reduce(whole, +)
  }
}
