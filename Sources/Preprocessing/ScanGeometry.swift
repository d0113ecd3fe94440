// SPDX-License-Identifier: Apache-2.0
/// Where the voxels of a case's first file lie: what is needed to write a segmentation or a map of the
/// same grid, as nnU-Net's readers keep it in their `properties`.
///
/// ```
/// let scan = try preprocessor.read(files: files)
/// let writer = NIfTIWriter(geometry: scan.geometry, threads: 4)
/// try writer.write(labels: segmentation, to: "seg.nii.gz")   // [z, y, x] as the reader gave the scan
/// ```
///
/// The crop and `transpose_forward` are in `PreparedGeometry`: a result of the network is put back into
/// `cropBox` of `originalShape`, and transposed with `transpose_backward`, to have the reader's `[z, y, x]`.
package struct ScanGeometry: Sendable, Equatable {
  package let reader: ImageReader
  /// `[x, y, z]` in the file.
  package let sizes: [Int]
  /// Whether the reader gave a plane: the file that is written has two axes as well.
  package let isTwoDimensional: Bool
  /// In mm along x, y, z of the file.
  package let spacing: [Double]
  /// Of the file's voxels; SimpleITK's has columns of length 1.
  package let affine: Affine
  /// How the file's axes lie; `nil` where its header does not tell.
  package let orientation: ScanOrientation?
  /// What was done to the file's axes on reading.
  package let turning: AxisTurning

  /// How the array's axes lie.
  package var arrayOrientation: ScanOrientation? { orientation?.turned(by: turning) }

  /// Of the array, `[z, y, x]`.
  package var shape: [Int] { turning.sources.map { sizes[$0] }.reversed() }

  /// Of the array's voxels `(x, y, z)`, in mm towards right, anterior and superior.
  package var arrayAffine: Affine {
    let scales = reader.isITK ? spacing : [1, 1, 1]
    let scaled = Matrix3(affine.matrix.rows.map { row in zip(row, scales).map { $0 * $1 } })
    return turning.turned(Affine(matrix: scaled, offset: affine.offset), sizes: sizes)
  }
}

extension ScanGeometry {
  /// Of an array that no NIfTI file holds, such as a DICOM series.
  ///
  /// - Parameters:
  ///   - shape: `[z, y, x]`.
  ///   - spacing: in mm, `[z, y, x]`.
  ///   - rows: of the affine from voxels `(x, y, z)` to mm towards right, anterior and superior: 3 of 4.
  ///   - reader: whose headers results are to have.
  package init(shape: [Int], spacing: [Double], affine rows: [[Double]], reader: ImageReader) {
    let matrix = Matrix3(rows.map { Array($0.prefix(3)) })
    self.init(
      reader: reader, sizes: shape.reversed(), isTwoDimensional: false,
      spacing: spacing.reversed(),
      affine: Affine(
        matrix: reader.isITK ? matrix.normalized : matrix, offset: rows.map { $0[3] }),
      orientation: ScanOrientation(affine: matrix), turning: .none)
  }
}
