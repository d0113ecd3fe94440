internal import Preprocessing
internal import SWTRuntime

/// What gives a window's logits: the network's sessions, one per fold.
protocol WindowNetwork {
  /// Runs a fold's network on a window, `[C, z, y, x]` or `[C, y, x]`, and shows its logits,
  /// `[heads, z, y, x]` or `[heads, y, x]`.
  func run(
    _ window: UnsafeBufferPointer<Float>, fold: Int, _ body: (UnsafePointer<Float>) -> Void
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

  /// Bytes that `run` takes beside the network and the image.
  var byteCount: Int {
    let window = framing.inputShape.reduce(1, *)
    let mean = mirrorings.count > 1 ? heads * tile.reduce(1, *) : 0
    return (window + mean) * MemoryLayout<Float>.stride
      + WindowSums.byteCount(
        tile: tile, plane: Array(paddedShape.dropFirst()), heads: heads, folds: folds)
  }

  /// Rows of logits that are final, in half precision; valid while they are shown.
  struct FinalRows {
    /// `[heads, rows, y, x]`, with padding.
    let logits: UnsafePointer<UInt16>
    let headStride: Int
    let rowStride: Int
    /// The image's row that is the first here.
    let first: Int
    /// Rows of the image that are final; what they need of those before is there too.
    let available: Int

    /// A row of the image, `[y, x]`.
    func row(_ row: Int, ofHead head: Int) -> UnsafePointer<UInt16> {
      logits + head * headStride + (row - first) * rowStride
    }
  }

  /// Runs `network` over an image, `[C, z, y, x]`.
  ///
  /// - Parameters:
  ///   - progress: told how many runs of the network are done; throws to stop.
  ///   - consume: given the rows that became final.
  func run(
    _ image: [Float], network: some WindowNetwork,
    progress: (Int) throws(PipelineError) -> Void,
    _ consume: (FinalRows) -> Void
  ) throws(PipelineError) {
    let sums: WindowSums
    do throws(RuntimeError) {
      sums = try WindowSums(
        tile: tile, plane: Array(paddedShape.dropFirst()), heads: heads, folds: folds,
        threads: threads)
    } catch { throw .runtime(error) }
    let prediction = try WindowPrediction(self, network: network)
    let (starts, area) = (framing.origins[0], framing.area)
    let perSlab = framing.windowCount / starts.count
    for slab in starts.indices {
      for fold in 0..<folds {
        for window in slab * perSlab..<(slab + 1) * perSlab {
          let origin = framing.origin(of: window)
          let (y, x) = (origin[1] - area[1].lowerBound, origin[2] - area[2].lowerBound)
          if fold == 0 { sums.addWeights(y: y, x: x) }
          try prediction.run(window, of: image, fold: fold, progress: progress) { logits, factor in
            sums.add(logits, factor: factor, fold: fold, y: y, x: x)
          }
        }
      }
      let isLast = slab == starts.count - 1
      let count = isLast ? tile[0] : starts[slab + 1] - starts[slab]
      guard sums.finish(rows: count) else { throw .notFinite }
      consume(
        FinalRows(
          logits: sums.logits, headStride: sums.rowCount * sums.rowSize, rowStride: sums.rowSize,
          first: starts[slab] - 1, available: starts[slab] + count))
      if !isLast { sums.advance(by: count) }
    }
  }
}
