// SPDX-License-Identifier: Apache-2.0
internal import Preprocessing
internal import SWTFormat

/// Where in a scan a classifier's logits come from: class activation maps.
///
/// A logit is a sum over channels: weight times the channel's mean over a stage's voxels, or its maximum
/// there, plus a bias. So every voxel has a part in it. A map holds these parts times the number of
/// voxels: its mean over all voxels is the logit without its bias.
package struct ActivationMaps: Sendable {
  /// Every class's logit without its bias.
  package let parts: [Double]
  /// Of every class the parts of the prepared image's voxels, `[z, y, x]`, times their number. What
  /// padding around the image adds to a logit is in `parts` only.
  package let values: [[Float]]

  private let geometry: PreparedGeometry
  private let placement: ScanPlacement
  private let resampling: LogitsResampling

  init(
    parts: [Double], values: [[Float]], geometry: PreparedGeometry,
    _ preprocessing: PreprocessingDescription
  ) throws(PreprocessingError) {
    self.parts = parts
    self.values = values
    self.geometry = geometry
    placement = ScanPlacement(geometry, transposeForward: preprocessing.transposeForward)
    var box = geometry.cropBox
    for (axis, source) in preprocessing.transposeForward.enumerated() {
      box[source] = geometry.cropBox[axis]
    }
    self.box = box
    resampling = try LogitsResampling(preprocessing, geometry: geometry)
  }

  /// `[z, y, x]` of the array that the reader gave.
  package var shape: [Int] { placement.shape }

  /// The nonzero region of that array: maps are 0 outside.
  package let box: [Range<Int>]

  /// A class's map on the scan's own grid, `[z, y, x]` as the reader gave it: resampled as a
  /// segmentation's logits are, 0 outside the nonzero region. Its mean over all voxels is the class's
  /// part; what has no place in the scan – padding, and what resampling loses – is spread evenly.
  package func scanMap(ofClass index: Int) -> [Float] {
    let cropped = resampled(values[index])
    let mean = cropped.reduce(0) { $0 + Double($1) } / Double(cropped.count)
    let spread = parts[index] - mean
    let scale = Double(shape.reduce(1, *)) / Double(cropped.count)
    var result = [Float](repeating: 0, count: shape.reduce(1, *))
    let sizes = resampling.axes.map(\.outputCount)
    var source = 0
    for z in 0..<sizes[0] {
      for y in 0..<sizes[1] {
        var target = placement.offset + z * placement.steps[0] + y * placement.steps[1]
        for _ in 0..<sizes[2] {
          result[target] = Float((Double(cropped[source]) + spread) * scale)
          source += 1
          target += placement.steps[2]
        }
      }
    }
    return result
  }

  /// The image's map on the grid of the cropped scan.
  private func resampled(_ values: [Float]) -> [Float] {
    let sizes = resampling.axes.map(\.outputCount)
    var result = [Float](repeating: 0, count: sizes.reduce(1, *))
    let interpolation = MapInterpolation(
      axes: resampling.axes, inputShape: Array(geometry.shape.dropFirst()))
    result.withUnsafeMutableBufferPointer { result in
      for z in 0..<sizes[0] {
        for y in 0..<sizes[1] {
          interpolation.add(
            values, z: z, y: y, columns: 0..<sizes[2], scale: 1,
            to: result, at: (z * sizes[1] + y) * sizes[2])
        }
      }
    }
    return result
  }
}
