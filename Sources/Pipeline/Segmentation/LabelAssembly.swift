internal import CKernels
internal import Preprocessing
internal import SWTRuntime

/// Makes the scan's labels of final rows of logits, as these come: interpolates them to the scan's grid
/// and decides between the heads on the way, so that no more than lines of interpolated logits exist.
final class LabelAssembly {
  /// How the image lies in rows of logits, which have padding.
  struct Frame: Sendable {
    /// Numbers from a y to the next.
    let stride: Int
    /// The place of the image's first voxel.
    let start: Int
    /// The image's size in x.
    let width: Int
  }

  /// In the array that was read.
  private(set) var labels: [UInt16]
  /// The interpolated logits of the cropped scan, `[heads, z, y, x]`, where they are kept.
  private var logits: [Float]

  private let rule: LabelRule
  private let heads: Int
  private let resampling: LogitsResampling
  private let placement: ScanPlacement
  private let frame: Frame
  private let keepsLogits: Bool
  private let threads: Int
  private let kernels: nn_half_kernels
  /// Rows of the cropped scan that are done.
  private var doneCount = 0

  init(
    _ window: SlidingWindow, rule: LabelRule, resampling: LogitsResampling,
    placement: ScanPlacement, keepsLogits: Bool
  ) throws(PipelineError) {
    self.rule = rule
    heads = window.heads
    self.resampling = resampling
    self.placement = placement
    self.keepsLogits = keepsLogits
    threads = window.threads
    let area = window.framing.area
    frame = Frame(
      stride: area[2].count, start: -area[1].lowerBound * area[2].count - area[2].lowerBound,
      width: window.framing.imageShape[3])
    do throws(RuntimeError) { kernels = try HalfKernels().pointee } catch { throw .runtime(error) }
    labels = [UInt16](repeating: 0, count: placement.shape.reduce(1, *))
    let count = keepsLogits ? resampling.axes.reduce(heads) { $0 * $1.outputCount } : 0
    logits = [Float](repeating: 0, count: count)
  }

  /// Gives the logits away.
  func takeLogits() -> [Float] {
    defer { logits = [] }
    return logits
  }

  /// Makes labels of all rows that the final ones suffice for.
  func take(_ rows: SlidingWindow.FinalRows) {
    let axis = resampling.axes[0]
    let first = doneCount
    while doneCount < axis.outputCount, Int(axis.upper[doneCount]) < rows.available {
      doneCount += 1
    }
    let lineCount = resampling.axes[1].outputCount
    let count = (doneCount - first) * lineCount
    labels.withUnsafeMutableBufferPointer { labels in
      logits.withUnsafeMutableBufferPointer { logits in
        nonisolated(unsafe) let (assembly, rows, labels, logits) = (self, rows, labels, logits)
        ParallelRanges(count: count, threads: threads).run { lines in
          let line = LineInterpolation(
            assembly.resampling, width: assembly.frame.width, kernels: assembly.kernels)
          for index in lines {
            assembly.make(
              line, z: first + index / lineCount, y: index % lineCount, of: rows,
              into: labels, logits)
          }
        }
      }
    }
  }

  /// Makes one line of the cropped scan; every line writes to voxels of its own.
  private func make(
    _ line: LineInterpolation, z: Int, y: Int, of rows: SlidingWindow.FinalRows,
    into labels: UnsafeMutableBufferPointer<UInt16>, _ logits: UnsafeMutableBufferPointer<Float>
  ) {
    let sources = sources(z: z, y: y)
    let (depth, height) = (resampling.axes[0].outputCount, resampling.axes[1].outputCount)
    line.begin()
    for head in 0..<heads {
      line.interpolate(
        sources.map { source in
          LineInterpolation.Source(
            logits: rows.row(source.row, ofHead: head) + source.offset,
            weights: source.weights)
        })
      line.decide(rule, head: head)
      guard keepsLogits else { continue }
      let target = ((head * depth + z) * height + y) * line.count
      for x in 0..<line.count { logits[target + x] = line.values[x] }
    }
    let target = placement.offset + z * placement.steps[0] + y * placement.steps[1]
    for x in 0..<line.count { labels[target + x * placement.steps[2]] = line.labels[x] }
  }

  /// The lines of logits that a line of the scan is made of: up to two rows, and two lines of each.
  private func sources(z: Int, y: Int) -> [(row: Int, offset: Int, weights: (Double, Double))] {
    resampling.axes[0].inputs(of: z).flatMap { row in
      resampling.axes[1].inputs(of: y).map { line in
        (row.index, frame.start + line.index * frame.stride, (row.weight, line.weight))
      }
    }
  }
}
