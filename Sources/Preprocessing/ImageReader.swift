/// nnU-Net's readers of NIfTI files, one of which plans name as `image_reader_writer`.
///
/// All of them give the array as `[z, y, x]` with its spacing and leave direction and origin alone;
/// those `…WithReorient` first turn the axes towards right, anterior and superior.
package enum ImageReader: String, Sendable, CaseIterable {
  /// SimpleITK's: honours the header's unit of length.
  case simpleITK = "SimpleITKIO"
  /// SimpleITK's, turned to RAS.
  case simpleITKWithReorient = "SimpleITKIOWithReorient"
  /// nibabel's: takes `pixdim` as it stands.
  case nibabel = "NibabelIO"
  /// nibabel's, turned to RAS.
  case nibabelWithReorient = "NibabelIOWithReorient"

  var reorients: Bool { self == .simpleITKWithReorient || self == .nibabelWithReorient }

  var honoursUnits: Bool { self == .simpleITK || self == .simpleITKWithReorient }

  /// The affine, in millimetres towards RAS, that the reader takes where a file gives none.
  func affineWithoutForm(spacing: [Double]) -> [[Double]] {
    // nibabel flips x alone; ITK's identity points to left, posterior and superior.
    let signs = honoursUnits ? [-1.0, -1, 1] : [-1.0, 1, 1]
    return (0..<3).map { row in (0..<3).map { row == $0 ? signs[row] * spacing[row] : 0 } }
  }
}
