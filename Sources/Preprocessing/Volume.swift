// SPDX-License-Identifier: Apache-2.0
/// One image channel: voxels in the order nnU-Net's readers give them, `[z, y, x]`.
public struct Volume: Sendable {
  /// `[z, y, x]`; a 2-D image has one slice.
  public let shape: [Int]
  /// Voxel spacing in mm, `[z, y, x]`.
  public let spacing: [Double]
  /// The voxels, x fastest.
  public let values: [Float]

  /// Stands for a volume whose voxels have been freed.
  static let empty = Volume(empty: ())

  private init(empty: ()) {
    shape = [0, 0, 0]
    spacing = [1, 1, 1]
    values = []
  }

  /// A box cut out of the volume, `[z, y, x]`.
  package func piece(_ box: [Range<Int>]) throws(PreprocessingError) -> Volume {
    let cut = ChannelCut(shape: shape, order: [0, 1, 2], box: box, threads: 1)
    return try Volume(shape: box.map(\.count), spacing: spacing, values: cut.run(values))
  }

  /// Creates a volume.
  ///
  /// - Parameters:
  ///   - shape: `[z, y, x]`; a 2-D image has one slice.
  ///   - spacing: in mm, `[z, y, x]`.
  ///   - values: the voxels, x fastest.
  /// - Throws: `PreprocessingError` where these do not fit each other.
  public init(shape: [Int], spacing: [Double], values: [Float]) throws(PreprocessingError) {
    guard shape.count == 3, shape.allSatisfy({ $0 > 0 }) else {
      throw PreprocessingError(.volume("shape \(shape) is not three positive sizes [z, y, x]"))
    }
    guard spacing.count == 3, spacing.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      throw PreprocessingError(
        .volume("spacing \(spacing) is not three positive numbers [z, y, x] in mm"))
    }
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow else { throw PreprocessingError(.volume("shape \(shape) is too large")) }
      count = product
    }
    guard count == values.count else {
      throw PreprocessingError(
        .volume("shape \(shape) needs \(count) voxels but there are \(values.count)"))
    }
    self.shape = shape
    self.spacing = spacing
    self.values = values
  }
}
