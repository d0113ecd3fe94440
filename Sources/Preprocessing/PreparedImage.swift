// SPDX-License-Identifier: Apache-2.0
/// A case as nnU-Net's `DefaultPreprocessor` returns it, with what happened to it.
public struct PreparedImage: Sendable {
  /// Sizes, spacing and crop.
  public let geometry: PreparedGeometry
  /// The normalised, resampled voxels, `[C, z, y, x]` with x fastest.
  public let values: [Float]
  /// 0 outside the scan's nonzero region with filled holes, `[z, y, x]`; `nil` where that was not asked for.
  package var nonzero: [Float]?

  /// `[C, z, y, x]`.
  package var shape: [Int] { geometry.shape }
}
