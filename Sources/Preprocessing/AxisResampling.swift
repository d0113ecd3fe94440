// SPDX-License-Identifier: Apache-2.0
internal import CResampling

/// Resampling along one axis: nnU-Net's half-pixel-centred grid, with scipy's spline conventions.
///
/// Source: skimage `resize` → scipy `ndimage.zoom(mode="nearest", grid_mode=True)`.
struct AxisResampling: Sendable {
  /// Whose arithmetic places the outputs: it decides between neighbours where they are equally near.
  enum Grid: Sendable {
    /// scipy's, in double.
    case scipy
    /// PyTorch's `interpolate`, in float32 with fused multiplication and addition.
    case torch

    /// The place of an output among the inputs, half-pixel-centred.
    func place(of output: Int, from inputCount: Int, to outputCount: Int) -> Double {
      switch self {
      case .scipy: (Double(output) + 0.5) * (Double(inputCount) / Double(outputCount)) - 0.5
      case .torch:
        Double(
          Float(-0.5).addingProduct(Float(inputCount) / Float(outputCount), Float(output) + 0.5))
      }
    }

    /// The nearest input.
    func nearest(_ place: Double) -> Int {
      switch self {
      case .scipy: Int((place + 0.5).rounded(.down))
      case .torch: Int((Float(place) + 0.5).rounded(.down))
      }
    }
  }

  let inputCount: Int
  let outputCount: Int
  /// Edge voxels repeated on both sides before the spline filter.
  let padding: Int
  private let taps: Int
  private let indices: [Int32]
  private let weights: [Double]

  init(from inputCount: Int, to outputCount: Int, order: Int, grid: Grid) {
    self.inputCount = inputCount
    self.outputCount = outputCount
    padding = order > 1 ? 12 : 0
    taps = order + 1
    var indices: [Int32] = []
    var weights: [Double] = []
    let last = inputCount + 2 * padding - 1
    func add(_ index: Int, _ weight: Double) {
      indices.append(Int32(clamping: min(max(index, 0), last)))
      weights.append(weight)
    }
    for output in 0..<outputCount {
      let place = grid.place(of: output, from: inputCount, to: outputCount)
      let x = min(max(place + Double(padding), 0), Double(last))
      if order == 0 {
        add(grid.nearest(x), 1)
        continue
      }
      let floor = Int(x.rounded(.down))
      let t = x - Double(floor)
      if order == 1 {
        add(floor, 1 - t)
        add(floor + 1, t)
        continue
      }
      let u = 1 - t
      let first = u * u * u / 6
      let second = (t * t * (t - 2) * 3 + 4) / 6
      let third = (u * u * (u - 2) * 3 + 4) / 6
      add(floor - 1, first)
      add(floor, second)
      add(floor + 1, third)
      add(floor + 2, 1 - first - second - third)
    }
    self.indices = indices
    self.weights = weights
  }

  /// Rows of doubles that `columns` must have.
  var paddedCount: Int { inputCount + 2 * padding }

  /// Resamples `columns`, `[paddedCount][lanes]`, whose middle rows hold the samples, to
  /// `[outputCount][lanes]`.
  func run(
    _ columns: UnsafeMutablePointer<Double>, lanes: Int, into output: UnsafeMutablePointer<Double>
  ) {
    if padding > 0 {
      for row in 0..<padding {
        (columns + row * lanes).update(from: columns + padding * lanes, count: lanes)
        (columns + (paddedCount - 1 - row) * lanes)
          .update(from: columns + (padding + inputCount - 1) * lanes, count: lanes)
      }
      resampling_spline_filter(columns, paddedCount, lanes)
    }
    indices.withUnsafeBufferPointer { indices in
      weights.withUnsafeBufferPointer { weights in
        resampling_gather(
          columns, lanes, indices.baseAddress, weights.baseAddress, taps, outputCount, output)
      }
    }
  }
}
