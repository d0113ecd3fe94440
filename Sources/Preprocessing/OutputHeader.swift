// SPDX-License-Identifier: Apache-2.0
/// The 352 bytes before the voxels of a NIfTI-1 file that nnU-Net's readers write: header and empty
/// extension flag.
struct OutputHeader {
  /// `pixdim[0]`: −1 where axes are left-handed.
  let handedness: Float
  /// `quatern_b`, `c`, `d`.
  let quaternion: [Float]
  let offset: [Float]
  /// `srow_x`, `y`, `z` without what is added.
  let rows: [[Float]]
  private let geometry: ScanGeometry

  /// - Throws: `PreprocessingError` where an affine cannot be written.
  init(_ geometry: ScanGeometry) throws(PreprocessingError) {
    self.geometry = geometry
    let frame =
      geometry.reader.isITK ? RotationFrame(itk: geometry) : RotationFrame(nibabel: geometry)
    guard let frame else {
      throw PreprocessingError(
        .volume(
          "the scan's affine \(geometry.affine.fault), so that no file can be written in its place — set "
            + "its header right"))
    }
    handedness = frame.isLeftHanded ? -1 : 1
    quaternion = frame.quaternion.map { Float($0) }
    offset = geometry.affine.offset.map { Float($0) }
    rows = frame.rows
  }

  /// The bytes for voxels of a type.
  func bytes(dataType: NIfTIHeader.DataType) -> [UInt8] {
    let isITK = geometry.reader.isITK
    var bytes = [UInt8](repeating: 0, count: 352)
    func put<I: FixedWidthInteger>(_ value: I, at offset: Int) {
      withUnsafeBytes(of: value.littleEndian) {
        bytes.replaceSubrange(offset..<offset + $0.count, with: $0)
      }
    }
    func put(_ values: [Float], at offset: Int) {
      for (index, value) in values.enumerated() { put(value.bitPattern, at: offset + 4 * index) }
    }
    let rank = geometry.isTwoDimensional ? 2 : 3
    // nibabel knows no more than the affine.
    let spacing = isITK ? geometry.spacing : geometry.affine.matrix.lengths
    put(Int32(348), at: 0)
    if isITK { bytes[38] = UInt8(ascii: "r") }
    let sizes = [rank] + geometry.sizes + [1, 1, 1, 1]
    for (index, size) in sizes.enumerated() { put(Int16(clamping: size), at: 40 + 2 * index) }
    put(Int16(dataType.rawValue), at: 70)
    put(Int16(8 * dataType.byteCount), at: 72)
    put(
      [handedness] + spacing.map { Float($0) }
        + [Float](repeating: isITK ? 0 : 1, count: 4), at: 76)
    put([352, 1, 0], at: 108)
    // Millimetres and seconds.
    if isITK { bytes[123] = 10 }
    put(Int16(isITK ? 1 : 0), at: 252)
    put(Int16(isITK ? 1 : 2), at: 254)
    put(quaternion + offset, at: 256)
    put(zip(rows, offset).flatMap { $0 + [$1] }, at: 280)
    bytes.replaceSubrange(344..<348, with: Array("n+1\0".utf8))
    return bytes
  }
}
