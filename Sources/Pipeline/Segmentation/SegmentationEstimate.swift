// SPDX-License-Identifier: Apache-2.0
package import Preprocessing

/// What segmenting one case would take, worked out before it is done.
public struct SegmentationEstimate: Sendable {
  /// What preprocessing makes of it.
  package let geometry: PreparedGeometry
  /// How many windows the network looks at.
  package let windowCount: Int
  /// How many ways each is looked at, mirrored and not.
  package let mirroringCount: Int
  /// How many folds look.
  package let foldCount: Int
  /// `[C, z, y, x]` or `[C, y, x]` of a window.
  package let windowShape: [Int]
  /// Multiplications and additions of the plain algorithm for one window, once.
  package let windowFlops: Double
  /// The most bytes that the process holds at one time.
  public let peakByteCount: Int

  /// How often the network runs.
  public var runCount: Int { windowCount * mirroringCount * foldCount }

  /// Multiplications and additions of the plain algorithm, all together.
  package var flops: Double { windowFlops * Double(runCount) }
}
