// SPDX-License-Identifier: Apache-2.0
/// A series as an array.
package struct DICOMVolume: Sendable {
  /// `[z, y, x]`.
  package let shape: [Int]
  /// In mm, `[z, y, x]`; as float32 has it, because NIfTI does.
  package let spacing: [Double]
  /// The voxels, x fastest.
  package let values: [Float]
  /// From voxels x, y, z to millimetres right, anterior, superior: 3 rows of 4.
  package let affine: [[Double]]
}
