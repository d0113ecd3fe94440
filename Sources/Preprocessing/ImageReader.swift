// SPDX-License-Identifier: Apache-2.0
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

  /// Whether scans are turned to RAS, however they lie.
  package var reorients: Bool { self == .simpleITKWithReorient || self == .nibabelWithReorient }

  var isITK: Bool { self == .simpleITK || self == .simpleITKWithReorient }
}
