// SPDX-License-Identifier: Apache-2.0
internal import Preprocessing
internal import SWTRuntime

/// What gives a window's logits: the network's sessions, one per fold.
protocol WindowNetwork {
  /// Runs a fold's network on a window, `[C, z, y, x]` or `[C, y, x]`, and shows its logits, some planes
  /// after the other.
  func run(
    _ window: UnsafeBufferPointer<Float>, fold: Int, _ body: (any WindowLogits) -> Void
  ) throws(PipelineError)
}

/// nnU-Net's prediction of a prepared image: windows, mirrored as asked for, by all folds, weighted and
/// summed in its order and in half precision, so that not a bit differs.
struct SlidingWindow {
  /// The windows.
  let framing: InputFraming
  let heads: Int
  let folds: Int
  /// Sets of the window's axes along which it is turned round, the empty one first.
  let mirrorings: [[Int]]
  let threads: Int

  /// Sizes of a window, `[z, y, x]`.
  var tile: [Int] { framing.windowSizes }

  /// Sizes of the image with its padding, `[z, y, x]`.
  var paddedShape: [Int] { framing.area.map(\.count) }

  /// How often the network runs.
  var runCount: Int { framing.windowCount * mirrorings.count * folds }

  /// Where windows start in the padded image, along an axis.
  private func starts(_ axis: Int) -> [Int] {
    framing.origins[axis].map { $0 - framing.area[axis].lowerBound }
  }

  /// Bytes that `run` takes beside the network and the image.
  var byteCount: Int {
    WindowPrediction<SessionNetwork>.byteCount(self)
      + WindowSums.byteCount(
        tile: tile, plane: Array(paddedShape.dropFirst()), heads: heads, folds: folds,
        starts: (starts(0), starts(1)))
  }

  /// Logits that are final, in half precision; valid while they are shown.
  struct FinalRows {
    fileprivate let sums: WindowSums
    fileprivate let padding: [Int]
    /// Rows of the image that are final, all of their lines or some; what they need of those before is
    /// there too.
    let rows: Int
    /// Lines of these rows that are final.
    let lines: Int
    /// Whether all lines of the rows are.
    let areWhole: Bool

    /// A line of the image.
    func line(row: Int, y: Int, head: Int) -> UnsafePointer<UInt16> {
      UnsafePointer(sums.line(row: row + padding[0], y: y + padding[1], head: head)) + padding[2]
    }
  }

  /// Runs `network` over an image, `[C, z, y, x]`.
  ///
  /// - Parameters:
  ///   - progress: told how many runs of the network are done; throws to stop.
  ///   - consume: given what became final.
  func run(
    _ image: [Float], network: some WindowNetwork,
    progress: (Int) throws(PipelineError) -> Void,
    _ consume: (FinalRows) -> Void
  ) throws(PipelineError) {
    let (height, padding) = (paddedShape[1], framing.area.map { -$0.lowerBound })
    let sums: WindowSums
    do throws(RuntimeError) {
      sums = try WindowSums(
        tile: tile, plane: Array(paddedShape.dropFirst()), heads: heads, folds: folds,
        threads: threads)
    } catch { throw PipelineError(.runtime(error)) }
    let prediction = try WindowPrediction(self, network: network)
    let (rows, columns) = (starts(0), starts(1))
    let perColumn = framing.origins[2].count

    for (slab, start) in rows.enumerated() {
      let end = slab + 1 < rows.count ? rows[slab + 1] : start + tile[0]
      // Of several folds all windows of a slab come before the next fold's: changing sessions takes time.
      let groups = folds > 1 ? [columns.indices] : columns.indices.map { $0..<$0 + 1 }
      var doneLines = 0
      for group in groups {
        let first = (slab * columns.count + group.lowerBound) * perColumn
        for fold in 0..<folds {
          for window in first..<first + group.count * perColumn {
            let origin = zip(framing.origin(of: window), padding).map { $0 + $1 }
            if fold == 0 { sums.addWeights(origin: origin) }
            try prediction.run(window, of: image, fold: fold, progress: progress) {
              logits, factor in
              sums.add(logits, factor: factor, fold: fold, origin: origin)
            }
          }
        }
        let isLast = group.upperBound == columns.count
        let lines = isLast ? height : columns[group.upperBound]
        guard sums.finish(rows: start..<end, lines: doneLines..<lines) else {
          throw PipelineError(.notFinite)
        }
        consume(
          FinalRows(
            sums: sums, padding: padding, rows: end - padding[0], lines: lines - padding[1],
            areWhole: isLast))
        // The last row and line are needed with the next ones.
        let kept = max(doneLines - 1, 0)..<(isLast ? height : max(lines - 1, 0))
        sums.release(rows: start - 1..<end - 1, lines: kept)
        doneLines = lines
      }
    }
  }
}
