// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import Preprocessing
internal import SWTRuntime

/// Makes the scan's labels of final rows of logits, as these come: interpolates them to the scan's grid
/// and decides between the heads on the way, so that no more than lines of interpolated logits exist.
final class LabelAssembly {
  /// In the array that was read.
  private(set) var labels: [UInt16]
  /// The interpolated logits of the cropped scan, `[heads, z, y, x]`, where they are kept.
  private var logits: [Float]

  private let rule: LabelRule
  private let heads: Int
  private let resampling: LogitsResampling
  private let placement: ScanPlacement
  /// The image's size in x.
  private let width: Int
  private let keepsLogits: Bool
  private let threads: Int
  private let kernels: nn_half_kernels
  /// Rows of the cropped scan that are done.
  private var doneRows = 0
  /// Lines that are done of those after them.
  private var doneLines = 0

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
    width = window.framing.imageShape[3]
    do throws(RuntimeError) { kernels = try HalfKernels().pointee } catch {
      throw PipelineError(.runtime(error))
    }
    labels = [UInt16](repeating: 0, count: placement.shape.reduce(1, *))
    let count = keepsLogits ? resampling.axes.reduce(heads) { $0 * $1.outputCount } : 0
    logits = [Float](repeating: 0, count: count)
  }

  /// Gives the logits away.
  func takeLogits() -> [Float] {
    defer { logits = [] }
    return logits
  }

  /// Makes labels of all lines that the final ones suffice for.
  func take(_ ready: SlidingWindow.FinalRows) {
    func count(_ axis: Int, from done: Int, available: Int) -> Int {
      let uppers = resampling.axes[axis].upper
      return uppers[done...].firstIndex { Int($0) >= available } ?? uppers.count
    }
    let rows = doneRows..<count(0, from: doneRows, available: ready.rows)
    let lines =
      doneLines..<(ready.areWhole
      ? resampling.axes[1].outputCount : count(1, from: doneLines, available: ready.lines))
    if ready.areWhole {
      (doneRows, doneLines) = (rows.upperBound, 0)
    } else {
      doneLines = lines.upperBound
    }
    guard !lines.isEmpty else { return }
    labels.withUnsafeMutableBufferPointer { labels in
      logits.withUnsafeMutableBufferPointer { logits in
        nonisolated(unsafe) let (assembly, ready, labels, logits) = (self, ready, labels, logits)
        ParallelRanges(count: rows.count * lines.count, threads: threads).run { range in
          let line = LineInterpolation(
            assembly.resampling, width: assembly.width, kernels: assembly.kernels)
          for index in range {
            assembly.make(
              line, z: rows.lowerBound + index / lines.count,
              y: lines.lowerBound + index % lines.count, of: ready, into: labels, logits)
          }
        }
      }
    }
  }

  /// Makes one line of the cropped scan; every line writes to voxels of its own.
  private func make(
    _ line: LineInterpolation, z: Int, y: Int, of ready: SlidingWindow.FinalRows,
    into labels: UnsafeMutableBufferPointer<UInt16>, _ logits: UnsafeMutableBufferPointer<Float>
  ) {
    let sources = sources(z: z, y: y)
    let (depth, height) = (resampling.axes[0].outputCount, resampling.axes[1].outputCount)
    line.begin()
    for head in 0..<heads {
      line.interpolate(
        sources.map { source in
          LineInterpolation.Source(
            logits: ready.line(row: source.row, y: source.line, head: head),
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
  private func sources(z: Int, y: Int) -> [(row: Int, line: Int, weights: (Double, Double))] {
    resampling.axes[0].inputs(of: z).flatMap { row in
      resampling.axes[1].inputs(of: y).map { line in
        (row.index, line.index, (row.weight, line.weight))
      }
    }
  }
}
