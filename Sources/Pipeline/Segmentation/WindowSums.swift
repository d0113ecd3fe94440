internal import CKernels
internal import Preprocessing
internal import SWTRuntime

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Weighted sums of windows' logits in half precision, of those rows only that windows still touch.
///
/// Windows come with the first axis outermost, so that rows (planes along the first axis) in front of a
/// window's first are final. One more row is kept in front of a window: interpolation needs it.
final class WindowSums {
  /// Sizes of a window, `[z, y, x]`.
  let tile: [Int]
  let heads: Int
  let folds: Int
  /// Rows that are kept.
  let rowCount: Int
  /// Numbers of a row: the padded image's y times x.
  let rowSize: Int

  private let width: Int
  private let threads: Int
  private let kernels: nn_half_kernels
  private let gaussian: [UInt16]
  // Invariant: both come from calloc in `init` and are freed in `deinit`; `sums` has `folds` times `heads`
  // times `rowCount` rows, `weights` has `rowCount`.
  private let sums: UnsafeMutablePointer<UInt16>
  private let weights: UnsafeMutablePointer<UInt16>

  /// Bytes that sums take.
  static func byteCount(tile: [Int], plane: [Int], heads: Int, folds: Int) -> Int {
    (heads * folds + 1) * (tile[0] + 1) * plane[0] * plane[1] * MemoryLayout<UInt16>.stride
  }

  /// - Parameters:
  ///   - tile: sizes of a window, `[z, y, x]`.
  ///   - plane: the padded image's y and x.
  init(
    tile: [Int], plane: [Int], heads: Int, folds: Int, threads: Int
  ) throws(RuntimeError) {
    self.tile = tile
    self.heads = heads
    self.folds = folds
    self.threads = threads
    rowCount = tile[0] + 1
    rowSize = plane[0] * plane[1]
    width = plane[1]
    kernels = try HalfKernels().pointee
    gaussian = GaussianWeights(tile: tile).bits
    let size = MemoryLayout<UInt16>.stride
    guard let weights = calloc(rowCount * rowSize, size) else {
      throw .memory(byteCount: rowCount * rowSize * size)
    }
    guard let sums = calloc(folds * heads * rowCount * rowSize, size) else {
      free(weights)
      throw .memory(byteCount: folds * heads * rowCount * rowSize * size)
    }
    self.weights = weights.assumingMemoryBound(to: UInt16.self)
    self.sums = sums.assumingMemoryBound(to: UInt16.self)
  }

  deinit {
    free(sums)
    free(weights)
  }

  /// The logits of the rows that are final, `[heads, rows, y, x]`; the first row is the one in front of the
  /// windows'.
  var logits: UnsafePointer<UInt16> { UnsafePointer(sums) }

  private func place(fold: Int, head: Int, row: Int) -> UnsafeMutablePointer<UInt16> {
    sums + ((fold * heads + head) * rowCount + row) * rowSize
  }

  /// Adds a window's logits, `[heads, z, y, x]` times `factor`; the window starts at `y` and `x` of the
  /// padded image.
  func add(
    _ logits: UnsafePointer<Float>, factor: Float, fold: Int, y: Int, x: Int
  ) {
    nonisolated(unsafe) let (logits, sums) = (logits, self)
    ParallelRanges(count: heads * tile[0], threads: threads).run { range in
      for index in range {
        sums.addPlane(
          logits + index * sums.tile[1] * sums.tile[2], factor: factor, fold: fold,
          head: index / sums.tile[0], z: index % sums.tile[0], start: y * sums.width + x)
      }
    }
  }

  private func addPlane(
    _ logits: UnsafePointer<Float>, factor: Float, fold: Int, head: Int, z: Int, start: Int
  ) {
    let target = place(fold: fold, head: head, row: z + 1) + start
    gaussian.withUnsafeBufferPointer { gaussian in
      guard let weights = gaussian.baseAddress else { return }
      for y in 0..<tile[1] {
        kernels.accumulate(
          target + y * width, logits + y * tile[2], factor,
          weights + (z * tile[1] + y) * tile[2], tile[2])
      }
    }
  }

  /// Adds the weights of a window that starts at `y` and `x` of the padded image; once for all folds.
  func addWeights(y: Int, x: Int) {
    gaussian.withUnsafeBufferPointer { gaussian in
      guard let source = gaussian.baseAddress else { return }
      for row in 0..<tile[0] * tile[1] {
        let (z, line) = (row / tile[1], row % tile[1])
        kernels.add(
          weights + (z + 1) * rowSize + (y + line) * width + x, source + row * tile[2], tile[2])
      }
    }
  }

  /// Makes logits of the first `count` rows of the windows: divides sums by weights, and takes the mean
  /// over the folds.
  ///
  /// - Returns: whether they all are finite.
  func finish(rows count: Int) -> Bool {
    var isFinite = [Bool](repeating: true, count: heads)
    // Rounded to half, as PyTorch does not: exact up to 2048 folds.
    let divisors = [UInt16](repeating: Float16(folds).bitPattern, count: rowSize)
    isFinite.withUnsafeMutableBufferPointer { isFinite in
      nonisolated(unsafe) let (isFinite, sums) = (isFinite, self)
      ParallelRanges(count: heads, threads: threads).run { heads in
        for head in heads {
          isFinite[head] = sums.finish(rows: count, head: head, foldDivisors: divisors)
        }
      }
    }
    return !isFinite.contains(false)
  }

  private func finish(rows count: Int, head: Int, foldDivisors: [UInt16]) -> Bool {
    let size = count * rowSize
    let mean = place(fold: 0, head: head, row: 1)
    var isFinite = kernels.divide(mean, weights + rowSize, size) == 1
    for fold in 1..<max(folds, 1) {
      let other = place(fold: fold, head: head, row: 1)
      isFinite = kernels.divide(other, weights + rowSize, size) == 1 && isFinite
      kernels.add(mean, other, size)
    }
    guard folds > 1 else { return isFinite }
    for row in 0..<count {
      isFinite = kernels.divide(mean + row * rowSize, foldDivisors, rowSize) == 1 && isFinite
    }
    return isFinite
  }

  /// Goes on to windows that start `count` rows later; those before, but for one, are given up.
  func advance(by count: Int) {
    for column in 0..<folds * heads {
      advance(sums + column * rowCount * rowSize, by: count)
    }
    advance(weights, by: count)
  }

  private func advance(_ rows: UnsafeMutablePointer<UInt16>, by count: Int) {
    let kept = (rowCount - count) * rowSize
    rows.update(from: rows + count * rowSize, count: kept)
    (rows + kept).update(repeating: 0, count: count * rowSize)
  }
}
