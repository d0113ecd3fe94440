// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import Preprocessing

/// Interpolates lines of logits along x, and decides between heads; for one thread at a time.
final class LineInterpolation {
  /// A line of logits, its plane's weight, and its own in that: a voxel is made of up to four.
  struct Source {
    let logits: UnsafePointer<UInt16>
    let weights: (Double, Double)
  }

  private static let largestSourceCount = 4

  /// Numbers of a line that comes out.
  let count: Int

  private let kernels: nn_half_kernels
  private let width: Int
  private let roundsToHalf: Bool
  // Invariant: allocated in `init` for `count` outputs (`scratch`: four lines of `width`), freed in `deinit`.
  private let lower: UnsafeMutablePointer<Int32>
  private let upper: UnsafeMutablePointer<Int32>
  private let lowerWeights: UnsafeMutablePointer<Double>
  private let upperWeights: UnsafeMutablePointer<Double>
  private let scratch: UnsafeMutablePointer<Double>
  private let best: UnsafeMutablePointer<Float>
  /// The line that `interpolate` made.
  let values: UnsafeMutablePointer<Float>
  /// The labels of the line.
  let labels: UnsafeMutablePointer<UInt16>

  /// - Parameter width: numbers of a line of logits.
  init(_ resampling: LogitsResampling, width: Int, kernels: nn_half_kernels) {
    let axis = resampling.axes[2]
    count = axis.outputCount
    self.kernels = kernels
    self.width = width
    roundsToHalf = resampling.roundsToHalf
    lower = .allocate(capacity: count)
    lower.initialize(from: axis.lower, count: count)
    upper = .allocate(capacity: count)
    upper.initialize(from: axis.upper, count: count)
    lowerWeights = .allocate(capacity: count)
    lowerWeights.initialize(from: axis.lowerWeights, count: count)
    upperWeights = .allocate(capacity: count)
    upperWeights.initialize(from: axis.upperWeights, count: count)
    scratch = .allocate(capacity: Self.largestSourceCount * width)
    scratch.initialize(repeating: 0, count: Self.largestSourceCount * width)
    best = .allocate(capacity: count)
    values = .allocate(capacity: count)
    values.initialize(repeating: 0, count: count)
    labels = .allocate(capacity: count)
    best.initialize(repeating: -.infinity, count: count)
    labels.initialize(repeating: 0, count: count)
  }

  deinit {
    lower.deallocate()
    upper.deallocate()
    lowerWeights.deallocate()
    upperWeights.deallocate()
    scratch.deallocate()
    best.deallocate()
    values.deallocate()
    labels.deallocate()
  }

  /// Starts a line: no head has decided on a label yet.
  func begin() {
    best.update(repeating: -.infinity, count: count)
    labels.update(repeating: 0, count: count)
  }

  /// Makes one head's line, rounded as nnU-Net has it.
  func interpolate(_ sources: [Source]) {
    func source(_ index: Int) -> Source { sources[min(index, sources.count - 1)] }
    var job = nn_half_interpolation(
      rows: (source(0).logits, source(1).logits, source(2).logits, source(3).logits),
      row_weights: (source(0).weights, source(1).weights, source(2).weights, source(3).weights),
      row_count: Int32(sources.count), width: Int32(width), lower: lower, upper: upper,
      lower_weights: lowerWeights, upper_weights: upperWeights, outputs: Int32(count),
      rounds: roundsToHalf ? 1 : 0, scratch: scratch, target: values)
    kernels.interpolate(&job)
  }

  /// Lets the head whose line was made decide on labels.
  func decide(_ rule: LabelRule, head: Int) {
    switch rule {
    case .largest: kernels.take_larger(values, UInt16(clamping: head), best, labels, count)
    case .regions(let order):
      kernels.take_above(values, LabelRule.regionBound, order[head], labels, count)
    }
  }
}
