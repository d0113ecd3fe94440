// SPDX-License-Identifier: Apache-2.0
/// What a segmentation holds of one label or region.
public struct LabelStatistics: Sendable, Equatable {
  /// Its name in dataset.json.
  public let name: String
  /// The labels that count; several for a region.
  public let values: [Int]
  /// How many voxels there are.
  public let voxelCount: Int
  /// Their volume in mL; `nil` for a picture without thickness.
  public let volume: Double?
  /// The box around them in voxels of the file, `[x, y, z]`; `nil` where there are none.
  public let boundingBox: [Range<Int>]?
  /// Their mean place in mm, towards right, anterior and superior; `nil` where there are none.
  public let centroid: [Double]?
  /// How many pieces there are that do not touch each other, not even at corners.
  public let componentCount: Int
}
