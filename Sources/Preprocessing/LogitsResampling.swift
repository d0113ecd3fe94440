// SPDX-License-Identifier: Apache-2.0
package import SWTFormat

/// How logits get back to the size that the scan had after cropping: `resampling_fn_probabilities`.
///
/// Every output is the weighted sum of two inputs along each axis, so that a row of the output needs
/// two planes of the input at most.
package struct LogitsResampling: Sendable {
  /// Of every output along an axis its two inputs and their weights.
  package struct Axis: Sendable, Equatable {
    package fileprivate(set) var lower: [Int32] = []
    package fileprivate(set) var upper: [Int32] = []
    package fileprivate(set) var lowerWeights: [Double] = []
    package fileprivate(set) var upperWeights: [Double] = []

    package var outputCount: Int { lower.count }
  }

  /// Along `[z, y, x]`, after `transpose_forward`.
  package let axes: [Axis]
  /// Whether results are rounded to half precision: nnU-Net's spline keeps its input's type, PyTorch's
  /// interpolation works in single precision.
  package let roundsToHalf: Bool

  /// - Parameters:
  ///   - description: what the plans say.
  ///   - shape: of the logits, `[z, y, x]`.
  ///   - geometry: of the prepared image.
  /// - Throws: `PreprocessingError` for splines of the third order, and where sizes
  ///   would have to change but the plans name no resampling.
  package init(
    _ description: PreprocessingDescription, geometry: PreparedGeometry
  ) throws(PreprocessingError) {
    guard let spacing = description.spacing else { throw PreprocessingError(.unknownSpacing) }
    let original = geometry.originalSpacing
    try self.init(
      description.resamplingProbabilities, from: Array(geometry.shape.dropFirst()),
      to: geometry.cropBox.map(\.count),
      spacing: spacing.count == 2 ? [original[0]] + spacing : spacing,
      newSpacing: original)
  }

  init(
    _ resampling: PreprocessingDescription.Resampling?, from shape: [Int], to newShape: [Int],
    spacing: [Double], newSpacing: [Double]
  ) throws(PreprocessingError) {
    let field = "resampling_fn_probabilities"
    let rule = try ResamplingRule(
      resampling ?? .linear, field: field)
    let volume = rule.resampling(
      from: shape, to: newShape, spacing: spacing, newSpacing: newSpacing, threads: 1)
    guard let volume else {
      guard shape == newShape else {
        throw PreprocessingError(.unsupported(field: field, value: "no_resampling_hack"))
      }
      axes = shape.map { Axis(from: $0, to: $0, order: 0, grid: .scipy) }
      roundsToHalf = true
      return
    }
    var axes: [Axis] = []
    for axis in 0..<3 {
      let order = axis == volume.axis ? volume.axisOrder : volume.order
      guard order < 2 else {
        throw PreprocessingError(.unsupported(field: "\(field)_kwargs.order", value: "\(order)"))
      }
      axes.append(
        Axis(from: shape[axis], to: newShape[axis], order: order, grid: volume.grid))
    }
    self.axes = axes
    roundsToHalf = volume.grid == .scipy
  }
}

extension PreprocessingDescription.Resampling {
  /// What plans without `resampling_fn_probabilities` mean.
  fileprivate static let linear = Self(
    function: "resample_data_or_seg_to_shape",
    keywords: JSONObject([
      ("is_seg", false), ("order", 1), ("order_z", 0), ("force_separate_z", .null),
    ]))
}

extension LogitsResampling.Axis {
  /// Linear interpolation on half-pixel-centred grids, as PyTorch's `interpolate` does it.
  package init(linearlyFrom inputCount: Int, to outputCount: Int) {
    self.init(from: inputCount, to: outputCount, order: 1, grid: .torch)
  }

  /// Nearest neighbours (order 0) or linear interpolation (order 1).
  init(from inputCount: Int, to outputCount: Int, order: Int, grid: AxisResampling.Grid) {
    func add(_ first: Int, _ second: Int, _ weight: Double) {
      lower.append(Int32(clamping: min(max(first, 0), inputCount - 1)))
      upper.append(Int32(clamping: min(max(second, 0), inputCount - 1)))
      lowerWeights.append(weight)
      upperWeights.append(1 - weight)
    }
    for output in 0..<outputCount {
      let place = grid.place(of: output, from: inputCount, to: outputCount)
      guard order == 1 else {
        add(grid.nearest(place), grid.nearest(place), 1)
        continue
      }
      // scipy weights the voxel at the border with itself, which rounds differently from taking it.
      let x = grid == .scipy ? place : max(place, 0)
      let floor = x.rounded(.down)
      add(Int(floor), Int(floor) + 1, 1 - (x - floor))
    }
  }

  /// The inputs that count for an output, with their weights.
  package func inputs(of output: Int) -> [(index: Int, weight: Double)] {
    [
      (Int(lower[output]), lowerWeights[output]), (Int(upper[output]), upperWeights[output]),
    ].filter { $0.weight != 0 }
  }
}
