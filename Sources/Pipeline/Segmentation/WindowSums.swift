// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import Preprocessing
internal import SWTRuntime

/// Weighted sums of windows' logits in half precision, of those rows only that windows still touch.
///
/// Windows come with the first axis outermost, then the second: so rows (planes along the first axis) in
/// front of a window's first are final, and in these, lines in front of the next windows' first as well.
/// What is final is used at once and its memory given back, but for the last row and line: interpolation
/// needs them with the next ones.
final class WindowSums {
  let heads: Int
  let folds: Int

  /// Sizes of a window, `[z, y, x]`.
  private let tile: [Int]
  /// The padded image's y and x.
  private let plane: [Int]
  /// Rows that there is a place for; a row's is its number modulo theirs.
  private let places: Int
  private let threads: Int
  private let rows: WindowRows
  private let kernels: nn_half_kernels
  private let gaussian: [UInt16]
  /// `[fold][y][place][head][x]`.
  private let sums: ReleasableMemory
  /// `[y][place][x]`.
  private let weights: ReleasableMemory

  /// Bytes that sums take at most.
  ///
  /// - Parameter starts: of the windows along y and z.
  static func byteCount(
    tile: [Int], plane: [Int], heads: Int, folds: Int, starts: (z: [Int], y: [Int])
  ) -> Int {
    let line = (heads * folds + 1) * plane[1] * MemoryLayout<UInt16>.stride
    let whole = plane[0] * (tile[0] + 1) * line
    guard whole >= ReleasableMemory.smallestReleased else { return whole }
    let step = zip(starts.z.dropFirst(), starts.z).map { $0 - $1 }.min() ?? tile[0]
    // Of several folds lines are not final before the last one's.
    let used = folds > 1 ? plane[0] : min(plane[0], tile[1] + 1)
    return (used * (tile[0] + 1) + (plane[0] - used) * (tile[0] + 1 - step)) * line
      + plane[0] * 2 * ReleasableMemory.pageSize
  }

  /// - Parameters:
  ///   - tile: sizes of a window, `[z, y, x]`.
  ///   - plane: the padded image's y and x.
  init(
    tile: [Int], plane: [Int], heads: Int, folds: Int, threads: Int
  ) throws(RuntimeError) {
    self.tile = tile
    self.plane = plane
    self.heads = heads
    self.folds = folds
    self.threads = threads
    places = tile[0] + 1
    rows = WindowRows(heads: heads, tile: tile, threads: threads)
    kernels = try HalfKernels().pointee
    gaussian = GaussianWeights(tile: tile).bits
    let lines = plane[0] * places * plane[1]
    sums = try ReleasableMemory(count: folds * heads * lines)
    weights = try ReleasableMemory(count: lines)
  }

  // MARK: - Places

  private func place(_ row: Int) -> Int { (row + places) % places }

  /// A line of sums; of one fold its logits once they are final.
  func line(row: Int, y: Int, head: Int, fold: Int = 0) -> UnsafeMutablePointer<UInt16> {
    let line = (fold * plane[0] + y) * places + place(row)
    return sums.start + (line * heads + head) * plane[1]
  }

  private func weightLine(row: Int, y: Int) -> UnsafeMutablePointer<UInt16> {
    weights.start + (y * places + place(row)) * plane[1]
  }

  // MARK: - Adding

  /// Adds some planes of a window's logits times `factor`.
  ///
  /// - Parameter origin: where the window starts in the padded image, `[z, y, x]`.
  func add(_ logits: some WindowLogits, factor: Float, fold: Int, origin: [Int]) {
    nonisolated(unsafe) let sums = self
    rows.forEach(of: logits) { row, head, z, y in
      let target = sums.line(row: origin[0] + z, y: origin[1] + y, head: head, fold: fold)
      sums.gaussian.withUnsafeBufferPointer { gaussian in
        guard let weights = gaussian.baseAddress else { return }
        sums.kernels.accumulate(
          target + origin[2], row, factor,
          weights + (z * sums.tile[1] + y) * sums.tile[2], sums.tile[2])
      }
    }
  }

  /// Adds the weights of a window; once for all folds.
  func addWeights(origin: [Int]) {
    gaussian.withUnsafeBufferPointer { gaussian in
      guard let source = gaussian.baseAddress else { return }
      for row in 0..<tile[0] * tile[1] {
        let (z, y) = (row / tile[1], row % tile[1])
        kernels.add(
          weightLine(row: origin[0] + z, y: origin[1] + y) + origin[2], source + row * tile[2],
          tile[2])
      }
    }
  }

  // MARK: - What is final

  /// Makes logits of sums: divides them by weights, and takes the mean over the folds.
  ///
  /// - Returns: whether they all are finite.
  func finish(rows: Range<Int>, lines: Range<Int>) -> Bool {
    let parts = max(1, min(lines.count, 4 * threads))
    var isFinite = [Bool](repeating: true, count: parts)
    // Rounded to half, as PyTorch does not: exact up to 2048 folds.
    let divisors = [UInt16](repeating: Float16(folds).bitPattern, count: plane[1])
    isFinite.withUnsafeMutableBufferPointer { isFinite in
      nonisolated(unsafe) let (isFinite, sums) = (isFinite, self)
      ParallelRanges(count: parts, threads: threads).run { range in
        for part in range {
          let first = lines.lowerBound + part * lines.count / parts
          let end = lines.lowerBound + (part + 1) * lines.count / parts
          for y in first..<end {
            for row in rows where !sums.finish(row: row, y: y, foldDivisors: divisors) {
              isFinite[part] = false
            }
          }
        }
      }
    }
    return !isFinite.contains(false)
  }

  private func finish(row: Int, y: Int, foldDivisors: [UInt16]) -> Bool {
    let (weights, width) = (weightLine(row: row, y: y), plane[1])
    var isFinite = true
    for head in 0..<heads {
      let mean = line(row: row, y: y, head: head)
      isFinite = kernels.divide(mean, weights, width) == 1 && isFinite
      for fold in 1..<max(folds, 1) {
        let other = line(row: row, y: y, head: head, fold: fold)
        isFinite = kernels.divide(other, weights, width) == 1 && isFinite
        kernels.add(mean, other, width)
      }
      if folds > 1 { isFinite = kernels.divide(mean, foldDivisors, width) == 1 && isFinite }
    }
    return isFinite
  }

  /// Gives up rows, whose places are zero again.
  func release(rows: Range<Int>, lines: Range<Int>) {
    for y in lines {
      // A run of rows may go over the last place.
      for run in runs(of: rows) {
        for fold in 0..<folds {
          let first = (fold * plane[0] + y) * places + run.lowerBound
          sums.clear(first * heads * plane[1], count: run.count * heads * plane[1])
        }
        weights.clear((y * places + run.lowerBound) * plane[1], count: run.count * plane[1])
      }
    }
  }

  private func runs(of rows: Range<Int>) -> [Range<Int>] {
    guard !rows.isEmpty else { return [] }
    let first = place(rows.lowerBound)
    let end = first + rows.count
    return end <= places ? [first..<end] : [first..<places, 0..<end - places]
  }
}
