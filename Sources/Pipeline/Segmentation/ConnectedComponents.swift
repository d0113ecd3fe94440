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
  /// The first run of every row that is kept, `[z, y]`, and the number of runs.
  private var rowStarts: [Int] = [0]
  /// The number of the first row that is kept.
  private var firstRow = 0
  /// Of every class, how many components its runs make.
  private var counts: [Int]
  private let shape: [Int]

  /// Finds the components of a volume.
  ///
  /// - Parameters:
  ///   - labels: `[z, y, x]`.
  ///   - classOf: of every label its class; 0 is none. Labels beyond it have none.
  init(_ labels: [UInt16], shape: [Int], classOf: [UInt16]) {
    self.init(shape: shape, classOf: classOf)
    for z in 0..<shape[0] { append(plane: z, labels, classOf) }
  }

  private init(shape: [Int], classOf: [UInt16]) {
    self.shape = shape
    counts = [Int](repeating: 0, count: Int(classOf.max() ?? 0) + 1)
  }

  /// How many components every class has; in the memory of two planes' runs.
  static func counts(
    of labels: [UInt16], shape: [Int], classOf: [UInt16]
  ) -> [UInt16: Int] {
    var components = ConnectedComponents(shape: shape, classOf: classOf)
    for z in 0..<shape[0] {
      components.append(plane: z, labels, classOf)
      components.forgetPlanes(before: z)
    }
    let found = components.counts.enumerated().filter { $0.element > 0 }
    return Dictionary(uniqueKeysWithValues: found.map { (UInt16($0.offset), $0.element) })
  }

  private mutating func append(plane z: Int, _ labels: [UInt16], _ classOf: [UInt16]) {
    for y in 0..<shape[1] {
      let row = z * shape[1] + y
      appendRuns(ofRow: row, labels, classOf)
      if y > 0 { join(row, row - 1) }
      guard z > 0 else { continue }
      for line in max(0, y - 1)...min(shape[1] - 1, y + 1) {
        join(row, (z - 1) * shape[1] + line)
      }
    }
  }

  /// Keeps the runs of a plane alone: what hung together over those before does so directly.
  private mutating func forgetPlanes(before z: Int) {
    let start = rowStarts[z * shape[1] - firstRow]
    var firstOfRoot = [UInt32](repeating: .max, count: parents.count)
    var kept: [UInt32] = []
    kept.reserveCapacity(parents.count - start)
    for run in start..<parents.count {
      let root = Int(root(UInt32(run)))
      if firstOfRoot[root] == .max { firstOfRoot[root] = UInt32(run - start) }
      kept.append(firstOfRoot[root])
    }
    parents = kept
    lows.removeFirst(start)
    highs.removeFirst(start)
    classes.removeFirst(start)
    rowStarts = rowStarts[(z * shape[1] - firstRow)...].map { $0 - start }
    firstRow = z * shape[1]
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
        counts[Int(next)] += 1
      }
      current = next
    }
    rowStarts.append(lows.count)
  }

  /// Joins the runs of two rows that touch, corners included.
  private mutating func join(_ row: Int, _ other: Int) {
    let (row, other) = (row - firstRow, other - firstRow)
    let end = rowStarts[other + 1]
    var start = rowStarts[other]
    for run in rowStarts[row]..<rowStarts[row + 1] {
      while start < end, highs[start] < lows[run] { start += 1 }
      var neighbour = start
      while neighbour < end, lows[neighbour] <= highs[run] {
        if classes[neighbour] == classes[run] {
          let (one, two) = (root(UInt32(run)), root(UInt32(neighbour)))
          if one != two { counts[Int(classes[run])] -= 1 }
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
