// SPDX-License-Identifier: Apache-2.0
/// Where a case has anything but zeros: nnU-Net's `crop_to_nonzero`.
struct NonzeroRegion {
  /// `[z, y, x]`.
  let shape: [Int]
  let threads: Int

  /// The bounding box of voxels that are nonzero in any channel; all of it where there are none.
  func box(of channels: [[Float]]) -> [Range<Int>] {
    let (depth, height, width) = (shape[0], shape[1], shape[2])
    // Per slice: lowest y and x, and one more than the highest.
    var bounds = [Int](repeating: 0, count: 4 * depth)
    bounds.withUnsafeMutableBufferPointer { bounds in
      nonisolated(unsafe) let bounds = bounds
      ParallelRanges(count: depth, threads: threads).run { slices in
        for z in slices {
          var low = (y: height, x: width)
          var high = (y: 0, x: 0)
          for values in channels {
            values.withUnsafeBufferPointer { values in
              for y in 0..<height {
                let row = values[(z * height + y) * width..<(z * height + y + 1) * width]
                guard let first = row.firstIndex(where: { $0 != 0 }) else { continue }
                let last = row.lastIndex(where: { $0 != 0 }) ?? first
                low = (min(low.y, y), min(low.x, first - row.startIndex))
                high = (max(high.y, y + 1), max(high.x, last - row.startIndex + 1))
              }
            }
          }
          (bounds[4 * z], bounds[4 * z + 1]) = (low.y, low.x)
          (bounds[4 * z + 2], bounds[4 * z + 3]) = (high.y, high.x)
        }
      }
    }
    let filled = (0..<depth).filter { bounds[4 * $0 + 2] > 0 }
    guard let first = filled.first, let last = filled.last else { return shape.map { 0..<$0 } }
    func range(_ offset: Int) -> Range<Int> {
      let low = filled.map { bounds[4 * $0 + offset] }.min() ?? 0
      let high = filled.map { bounds[4 * $0 + offset + 2] }.max() ?? 0
      return low..<high
    }
    return [first..<last + 1, range(0), range(1)]
  }

  /// The nonzero voxels with filled holes: everything but zeros connected by faces to the border.
  ///
  /// Runs of zeros along x are joined where they touch (union–find), so time and memory stay
  /// linear, whatever shape the background has.
  func mask(of channels: [[Float]]) -> [Bool] {
    let (depth, height, width) = (shape[0], shape[1], shape[2])
    var runs = ZeroRuns()
    var rowStarts = [0]
    rowStarts.reserveCapacity(depth * height + 1)
    for row in 0..<depth * height {
      append(row: row, of: channels, to: &runs)
      let (z, y) = (row / height, row % height)
      let own = rowStarts[row]..<runs.count
      rowStarts.append(runs.count)
      let isBorder = z == 0 || y == 0 || z == depth - 1 || y == height - 1
      for run in own
      where isBorder || runs.range(of: run).lowerBound == 0
        || runs.range(of: run).upperBound == width
      {
        runs.joinOutside(run)
      }
      if y > 0 { runs.join(own, rowStarts[row - 1]..<rowStarts[row]) }
      if z > 0 { runs.join(own, rowStarts[row - height]..<rowStarts[row - height + 1]) }
    }
    var inside = [Bool](repeating: true, count: depth * height * width)
    for row in 0..<depth * height {
      for run in rowStarts[row]..<rowStarts[row + 1] where runs.isOutside(run) {
        for x in runs.range(of: run) { inside[row * width + x] = false }
      }
    }
    return inside
  }

  /// Finds where a row is zero in all channels.
  private func append(row: Int, of channels: [[Float]], to runs: inout ZeroRuns) {
    let width = shape[2]
    let start = row * width
    var first: Int?
    for x in 0..<width {
      let isZero = channels.allSatisfy { $0[start + x] == 0 }
      if isZero, first == nil { first = x }
      if !isZero, let low = first {
        runs.append(low..<x)
        first = nil
      }
    }
    if let low = first { runs.append(low..<width) }
  }
}

/// Runs of background voxels and which of them hang together.
private struct ZeroRuns {
  private var lows: [Int32] = []
  private var highs: [Int32] = []
  /// Union–find; number 0 stands for what lies outside, run r is number r + 1.
  private var parents: [UInt32] = [0]

  var count: Int { lows.count }

  func range(of run: Int) -> Range<Int> { Int(lows[run])..<Int(highs[run]) }

  mutating func append(_ range: Range<Int>) {
    lows.append(Int32(range.lowerBound))
    highs.append(Int32(range.upperBound))
    parents.append(UInt32(parents.count))
  }

  mutating func joinOutside(_ run: Int) { join(0, UInt32(run + 1)) }

  mutating func isOutside(_ run: Int) -> Bool { root(UInt32(run + 1)) == 0 }

  /// Joins the runs of two neighbouring rows that overlap.
  mutating func join(_ own: Range<Int>, _ others: Range<Int>) {
    var (first, second) = (own.lowerBound, others.lowerBound)
    while first < own.upperBound, second < others.upperBound {
      if lows[first] < highs[second], lows[second] < highs[first] {
        join(UInt32(first + 1), UInt32(second + 1))
      }
      if highs[first] < highs[second] { first += 1 } else { second += 1 }
    }
  }

  /// The smaller number leads, so that what touches the outside leads to 0.
  private mutating func join(_ first: UInt32, _ second: UInt32) {
    let (first, second) = (root(first), root(second))
    parents[Int(max(first, second))] = min(first, second)
  }

  private mutating func root(_ number: UInt32) -> UInt32 {
    var number = number
    while parents[Int(number)] != number {
      parents[Int(number)] = parents[Int(parents[Int(number)])]
      number = parents[Int(number)]
    }
    return number
  }
}
