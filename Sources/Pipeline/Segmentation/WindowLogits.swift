// SPDX-License-Identifier: Apache-2.0
internal import Preprocessing
internal import SWTRuntime

/// Some planes of a window's logits, of all heads, shown in rows.
protocol WindowLogits: Sendable {
  /// Of the window.
  var planes: Range<Int> { get }

  /// Writes a row of every head of a block, one after the other.
  ///
  /// - Parameter rows: has room for twice the rows of a block.
  func copyRow(block: Int, plane: Int, y: Int, to rows: UnsafeMutablePointer<Float>)
}

extension SegmentationSlab: WindowLogits {}

/// How rows of a window's logits are gone through: a block of heads at a time, on several threads.
struct WindowRows: Sendable {
  /// Heads that are shown together.
  static let blockWidth = SegmentationSlab.blockWidth

  let heads: Int
  /// Sizes of a window, `[z, y, x]`.
  let tile: [Int]
  let threads: Int

  /// Calls `body` for every row of every head, on any thread.
  func forEach(
    of logits: some WindowLogits,
    _ body: @Sendable (_ row: UnsafePointer<Float>, _ head: Int, _ plane: Int, _ y: Int) -> Void
  ) {
    let (width, lines) = (tile[2], tile[1])
    let blocks = (heads + Self.blockWidth - 1) / Self.blockWidth
    let perBlock = logits.planes.count * lines
    ParallelRanges(count: blocks * perBlock, threads: threads).run { range in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * Self.blockWidth * width) { rows in
        guard let rows = rows.baseAddress else { return }
        for index in range {
          let (block, place) = (index / perBlock, index % perBlock)
          let (plane, y) = (logits.planes.lowerBound + place / lines, place % lines)
          logits.copyRow(block: block, plane: plane, y: y, to: rows)
          let first = block * Self.blockWidth
          for head in first..<min(first + Self.blockWidth, heads) {
            body(rows + (head - first) * width, head, plane, y)
          }
        }
      }
    }
  }
}

/// A window's logits in memory, `[heads, z, y, x]`.
struct PlanarLogits: WindowLogits, @unchecked Sendable {
  // Invariant: nobody writes to it while it is read.
  let values: UnsafePointer<Float>
  let heads: Int
  /// Sizes of a window, `[z, y, x]`.
  let tile: [Int]

  var planes: Range<Int> { 0..<tile[0] }

  func copyRow(block: Int, plane: Int, y: Int, to rows: UnsafeMutablePointer<Float>) {
    let (first, width) = (block * WindowRows.blockWidth, tile[2])
    for head in first..<min(first + WindowRows.blockWidth, heads) {
      (rows + (head - first) * width).update(
        from: values + ((head * tile[0] + plane) * tile[1] + y) * width, count: width)
    }
  }
}
