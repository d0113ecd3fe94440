internal import CResampling

/// Resampling along one axis: nnU-Net's half-pixel-centred grid, with scipy's spline conventions.
///
/// Source: skimage `resize` → scipy `ndimage.zoom(mode="nearest", grid_mode=True)`.
struct AxisResampling: Sendable {
  let inputCount: Int
  let outputCount: Int
  /// Edge voxels repeated on both sides before the spline filter.
  let padding: Int
  private let taps: Int
  private let indices: [Int32]
  private let weights: [Double]

  init(from inputCount: Int, to outputCount: Int, order: Int) {
    self.inputCount = inputCount
    self.outputCount = outputCount
    padding = order > 1 ? 12 : 0
    taps = order + 1
    var indices: [Int32] = []
    var weights: [Double] = []
    let scale = Double(inputCount) / Double(outputCount)
    let last = inputCount + 2 * padding - 1
    func add(_ index: Int, _ weight: Double) {
      indices.append(Int32(clamping: min(max(index, 0), last)))
      weights.append(weight)
    }
    for output in 0..<outputCount {
      let place = (Double(output) + 0.5) * scale - 0.5 + Double(padding)
      let x = min(max(place, 0), Double(last))
      if order == 0 {
        add(Int((x + 0.5).rounded(.down)), 1)
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
