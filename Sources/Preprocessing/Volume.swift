/// One image channel: voxels in the order nnU-Net's readers give them, `[z, y, x]`.
public struct Volume: Sendable {
  /// `[z, y, x]`; a 2-D image has one slice.
  public let shape: [Int]
  /// Voxel spacing in mm, `[z, y, x]`.
  public let spacing: [Double]
  /// The voxels, x fastest.
  public let values: [Float]

  /// Creates a volume.
  ///
  /// Throws where sizes, spacing and voxel count do not fit each other.
  public init(shape: [Int], spacing: [Double], values: [Float]) throws(PreprocessingError) {
    guard shape.count == 3, shape.allSatisfy({ $0 > 0 }) else {
      throw .volume("shape \(shape) is not three positive sizes [z, y, x]")
    }
    guard spacing.count == 3, spacing.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      throw .volume("spacing \(spacing) is not three positive numbers [z, y, x] in mm")
    }
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow else { throw .volume("shape \(shape) is too large") }
      count = product
    }
    guard count == values.count else {
      throw .volume("shape \(shape) needs \(count) voxels but there are \(values.count)")
    }
    self.shape = shape
    self.spacing = spacing
    self.values = values
  }
}
