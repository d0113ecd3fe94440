// SPDX-License-Identifier: Apache-2.0
/// Where the voxels of the cropped, transposed image lie in the array that was read: the way back.
package struct ScanPlacement: Sendable, Equatable {
  /// `[z, y, x]` of the array as it was read.
  package let shape: [Int]
  /// The place of the cropped image's first voxel.
  package let offset: Int
  /// From a voxel of the cropped image to the next along each of its axes.
  package let steps: [Int]

  /// - Parameter transposeForward: of the plans that `geometry` comes from.
  package init(_ geometry: PreparedGeometry, transposeForward: [Int]) {
    var shape = [0, 0, 0]
    for (axis, source) in transposeForward.enumerated() {
      shape[source] = geometry.originalShape[axis]
    }
    let strides = [shape[1] * shape[2], shape[2], 1]
    let steps = transposeForward.map { strides[$0] }
    self.shape = shape
    self.steps = steps
    offset = zip(geometry.cropBox, steps).reduce(0) { $0 + $1.0.lowerBound * $1.1 }
  }
}
