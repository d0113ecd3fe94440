// SPDX-License-Identifier: Apache-2.0
internal import Preprocessing

/// Interpolates a map line by line: every output is a weighted sum of two inputs along each axis.
struct MapInterpolation {
  let axes: [LogitsResampling.Axis]
  /// `[z, y, x]`.
  let inputShape: [Int]

  /// Adds a line of the interpolated map, times `scale`, to `output` from `start` on.
  func add(
    _ map: [Float], z: Int, y: Int, columns: Range<Int>, scale: Double,
    to output: UnsafeMutableBufferPointer<Float>, at start: Int
  ) {
    let line = line(of: map, z: z, y: y, scale: scale)
    let axis = axes[2]
    for (offset, x) in columns.enumerated() {
      let value =
        line[Int(axis.lower[x])] * axis.lowerWeights[x]
        + line[Int(axis.upper[x])] * axis.upperWeights[x]
      output[start + offset] += Float(value)
    }
  }

  /// The input's line that output lines at `z` and `y` are made of.
  private func line(of map: [Float], z: Int, y: Int, scale: Double) -> [Double] {
    let width = inputShape[2]
    var line = [Double](repeating: 0, count: width)
    for plane in axes[0].inputs(of: z) {
      for row in axes[1].inputs(of: y) {
        let start = (plane.index * inputShape[1] + row.index) * width
        let weight = plane.weight * row.weight * scale
        for x in 0..<width { line[x] += Double(map[start + x]) * weight }
      }
    }
    return line
  }
}
