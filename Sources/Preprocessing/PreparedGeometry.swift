// SPDX-License-Identifier: Apache-2.0
/// What preprocessing will make of a case, worked out before normalising and resampling it.
public struct PreparedGeometry: Sendable, Equatable {
  /// `[C, z, y, x]`, axes after `transpose_forward`; 2-D configurations too.
  public let shape: [Int]
  /// Spacing in mm afterwards, `[z, y, x]`.
  public let spacing: [Double]
  /// The scan's spacing in mm after `transpose_forward`, `[z, y, x]`.
  public let originalSpacing: [Double]
  /// The scan's size in voxels after `transpose_forward`, `[z, y, x]`.
  public let originalShape: [Int]
  /// The nonzero region that is kept, in voxels of the transposed scan (`bbox_used_for_cropping`).
  public let cropBox: [Range<Int>]
  /// The most bytes that preparing holds at one time, the channels given included.
  package let peakByteCount: Int
}
