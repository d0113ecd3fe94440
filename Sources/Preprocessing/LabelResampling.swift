// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// Resamples a segmentation as nnU-Net does for a cascade's second stage: `resampling_fn_seg`.
///
/// Every label's share of a voxel is interpolated on its own and the largest wins. Of equal ones the
/// spline functions take the nearest voxel's label if it is among them, else the lowest
/// (batchgenerators' `_resample_seg_by_argmax`); PyTorch's take the lowest, of shares in half precision.
struct LabelResampling: Sendable {
  private let shape: [Int]
  private let axes: [LogitsResampling.Axis]
  /// Of every output along an axis the nearest input.
  private let nearest: [[Int]]
  private let isTorch: Bool

  /// `nil` where sizes do not change.
  init?(
    _ resampling: PreprocessingDescription.Resampling?, from shape: [Int], to newShape: [Int],
    spacing: [Double], newSpacing: [Double]
  ) throws(PreprocessingError) {
    let field = "resampling_fn_seg"
    guard let resampling else {
      throw PreprocessingError(.unsupported(field: field, value: "missing"))
    }
    let rule = try ResamplingRule(resampling, field: field, isSegmentation: true)
    let volume = rule.resampling(
      from: shape, to: newShape, spacing: spacing, newSpacing: newSpacing, threads: 1)
    guard let volume else { return nil }
    var axes: [LogitsResampling.Axis] = []
    var nearest: [[Int]] = []
    for axis in 0..<3 {
      let order = axis == volume.axis ? volume.axisOrder : volume.order
      // Along the separate axis order 1 thresholds shares, which nobody asks for.
      guard order < 2, volume.order == 1 || order == 0 else {
        throw PreprocessingError(.unsupported(field: "\(field)_kwargs.order", value: "\(order)"))
      }
      axes.append(.init(from: shape[axis], to: newShape[axis], order: order, grid: volume.grid))
      nearest.append(
        (0..<newShape[axis]).map { output in
          let place = volume.grid.place(of: output, from: shape[axis], to: newShape[axis])
          return min(max(volume.grid.nearest(place), 0), shape[axis] - 1)
        })
    }
    self.shape = shape
    self.axes = axes
    self.nearest = nearest
    isTorch = volume.grid == .torch
  }

  /// Resamples labels, `[z, y, x]`.
  func run(_ labels: [Float], threads: Int) -> [Float] {
    let (height, width) = (axes[1].outputCount, axes[2].outputCount)
    let count = axes[0].outputCount * height * width
    return [Float](unsafeUninitializedCapacity: count) { output, initialized in
      nonisolated(unsafe) let output = output
      labels.withUnsafeBufferPointer { labels in
        nonisolated(unsafe) let labels = labels
        ParallelRanges(count: axes[0].outputCount * height, threads: threads).run { lines in
          for line in lines {
            for x in 0..<width {
              output[line * width + x] = label(z: line / height, y: line % height, x: x, of: labels)
            }
          }
        }
      }
      initialized = count
    }
  }

  private func label(z: Int, y: Int, x: Int, of labels: UnsafeBufferPointer<Float>) -> Float {
    var shares = LabelShares()
    for (row, rowWeight) in axes[0].inputs(of: z) {
      for (line, lineWeight) in axes[1].inputs(of: y) {
        for (column, columnWeight) in axes[2].inputs(of: x) {
          shares.add(
            rowWeight * lineWeight * columnWeight,
            to: labels[(row * shape[1] + line) * shape[2] + column])
        }
      }
    }
    let best = shares.largest(inHalf: isTorch)
    guard !isTorch else { return best.label }
    let near = labels[
      (nearest[0][z] * shape[1] + nearest[1][y]) * shape[2] + nearest[2][x]]
    return shares.share(of: near) == best.share ? near : best.label
  }
}

/// The labels of up to eight neighbouring voxels with their shares of a voxel between them.
private struct LabelShares {
  private var entries: [(label: Float, share: Double)] = []

  mutating func add(_ share: Double, to label: Float) {
    if let index = entries.firstIndex(where: { $0.label == label }) {
      entries[index].share += share
    } else {
      entries.append((label, share))
    }
  }

  func share(of label: Float) -> Double? { entries.first { $0.label == label }?.share }

  /// The largest share; of equal ones that of the lowest label.
  func largest(inHalf: Bool) -> (label: Float, share: Double) {
    func rounded(_ share: Double) -> Double {
      inHalf ? Double(Float16(Float(share * 1000))) : share
    }
    return entries.dropFirst().reduce(entries[0]) { best, entry in
      let (share, other) = (rounded(entry.share), rounded(best.share))
      return share > other || (share == other && entry.label < best.label) ? entry : best
    }
  }
}
