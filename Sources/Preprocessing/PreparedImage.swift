/// A case as nnU-Net's `DefaultPreprocessor` returns it, with what happened to it.
public struct PreparedImage: Sendable {
  /// `[C, z, y, x]`, axes after `transpose_forward`; 2-D configurations too.
  public let shape: [Int]
  /// The normalised, resampled voxels, x fastest.
  public let values: [Float]
  /// Spacing in mm of `values`, `[z, y, x]`.
  public let spacing: [Double]
  /// The scan's spacing in mm after `transpose_forward`.
  public let originalSpacing: [Double]
  /// The scan's size after `transpose_forward`.
  public let originalShape: [Int]
  /// The nonzero region that was kept, in voxels of the transposed scan (`bbox_used_for_cropping`).
  public let cropBox: [Range<Int>]
}
