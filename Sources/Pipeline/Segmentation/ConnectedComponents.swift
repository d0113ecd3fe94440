// SPDX-License-Identifier: Apache-2.0
/// Which voxels of one class hang together, by faces, edges or corners: full connectivity.
///
/// Runs of a class along x are joined where they touch (union–find), so that time and memory stay
/// linear, whatever shape the classes have.
struct ConnectedComponents {
  private var lows: [Int32] = []
  private var highs: [Int32] = []
  private var classes: [UInt16] = []
  private var parents: [UInt32] = []
  /// The first run of every row, `[z, y]`, and the number of runs.
  private var rowStarts: [Int] = [0]
  private let shape: [Int]

  /// Finds the components of a volume.
  ///
  /// - Parameters:
  ///   - labels: `[z, y, x]`.
  ///   - classOf: of every label its class; 0 is none. Labels beyond it have none.
  init(_ labels: [UInt16], shape: [Int], classOf: [UInt16]) {
    self.shape = shape
    rowStarts.reserveCapacity(shape[0] * shape[1] + 1)
    for row in 0..<shape[0] * shape[1] {
      appendRuns(ofRow: row, labels, classOf)
      let (z, y) = (row / shape[1], row % shape[1])
      if y > 0 { join(row, row - 1) }
      guard z > 0 else { continue }
      for line in max(0, y - 1)...min(shape[1] - 1, y + 1) {
        join(row, (z - 1) * shape[1] + line)
      }
    }
  }

  private mutating func appendRuns(ofRow row: Int, _ labels: [UInt16], _ classOf: [UInt16]) {
    let start = row * shape[2]
    var current: UInt16 = 0
    for x in 0..<shape[2] {
      let label = Int(labels[start + x])
      let next = label < classOf.count ? classOf[label] : 0
      if next == current, next != 0 {
        highs[highs.count - 1] += 1
      } else if next != 0 {
        lows.append(Int32(x))
        highs.append(Int32(x + 1))
        classes.append(next)
        parents.append(UInt32(parents.count))
      }
      current = next
    }
    rowStarts.append(lows.count)
  }

  /// Joins the runs of two rows that touch, corners included.
  private mutating func join(_ row: Int, _ other: Int) {
    let end = rowStarts[other + 1]
    var start = rowStarts[other]
    for run in rowStarts[row]..<rowStarts[row + 1] {
      while start < end, highs[start] < lows[run] { start += 1 }
      var neighbour = start
      while neighbour < end, lows[neighbour] <= highs[run] {
        if classes[neighbour] == classes[run] {
          let (one, two) = (root(UInt32(run)), root(UInt32(neighbour)))
          parents[Int(max(one, two))] = min(one, two)
        }
        neighbour += 1
      }
    }
  }

  private mutating func root(_ run: UInt32) -> UInt32 {
    var run = run
    while parents[Int(run)] != run {
      parents[Int(run)] = parents[Int(parents[Int(run)])]
      run = parents[Int(run)]
    }
    return run
  }

  /// How many components every class has.
  mutating func counts() -> [UInt16: Int] {
    var counts: [UInt16: Int] = [:]
    for run in parents.indices where parents[run] == run { counts[classes[run], default: 0] += 1 }
    return counts
  }

  /// Calls `body` with the voxels of every component but the largest of all, by runs; components of
  /// exactly the largest size all stay.
  mutating func forEachRunOutsideLargest(_ body: (Range<Int>) -> Void) {
    var sizes = [Int](repeating: 0, count: parents.count)
    for run in parents.indices {
      sizes[Int(root(UInt32(run)))] += Int(highs[run] - lows[run])
    }
    let largest = sizes.max() ?? 0
    for row in 0..<shape[0] * shape[1] {
      for run in rowStarts[row]..<rowStarts[row + 1]
      where sizes[Int(root(UInt32(run)))] < largest {
        let start = row * shape[2]
        body(start + Int(lows[run])..<start + Int(highs[run]))
      }
    }
  }
}
