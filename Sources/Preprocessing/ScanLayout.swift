// SPDX-License-Identifier: Apache-2.0
/// What one of nnU-Net's readers makes of a header: where voxels lie in the file and in space.
struct ScanLayout {
  /// `[x, y, z]`.
  let sizes: [Int]
  /// Entries of the fourth axis, which nnU-Net takes as channels.
  let volumeCount: Int
  /// Whether the reader gives a plane, which nnU-Net makes one very thick slice.
  let isTwoDimensional: Bool
  /// Where voxels begin.
  let dataOffset: Int
  /// What stored numbers are multiplied with, and what is added then.
  let slope: Double
  let intercept: Double
  /// Size of a voxel in mm along x, y, z.
  let spacing: [Double]
  /// Where voxels lie; SimpleITK's has columns of length 1.
  let affine: Affine
  /// How the image's axes lie, where that can be told.
  let orientation: ScanOrientation?
  /// What the reader passes over in silence and a person should know.
  var problems: [String]

  /// Reads the header as `reader` does.
  ///
  /// - Throws: `PreprocessingError` where that reader, or nnU-Net with it, refuses the file.
  init(
    _ header: NIfTIHeader, reader: ImageReader, path: String
  ) throws(PreprocessingError) {
    let problem: String
    do throws(Refusal) {
      switch reader {
      case .simpleITK, .simpleITKWithReorient:
        self = try SimpleITKRules(header: header, reorients: reader.reorients).layout()
      case .nibabel, .nibabelWithReorient:
        self = try NibabelRules(header: header, reorients: reader.reorients).layout()
      }
      problems = header.repairs + problems
      return
    } catch { problem = error.problem }
    throw PreprocessingError(.format(path: path, problem: problem))
  }

  init(
    sizes: [Int], volumeCount: Int, isTwoDimensional: Bool, dataOffset: Int, slope: Double,
    intercept: Double, spacing: [Double], affine: Affine, orientation: ScanOrientation?,
    problems: [String]
  ) {
    self.sizes = sizes
    self.volumeCount = volumeCount
    self.isTwoDimensional = isTwoDimensional
    self.dataOffset = dataOffset
    self.slope = slope
    self.intercept = intercept
    self.spacing = spacing
    self.affine = affine
    self.orientation = orientation
    self.problems = problems
  }

  /// Why a reader refuses a header.
  struct Refusal: Error {
    let problem: String

    init(_ problem: String) { self.problem = problem }
  }
}

extension NIfTIHeader {
  /// Fields that say something wrong and that both readers pass over.
  fileprivate var repairs: [String] {
    var repairs: [String] = []
    if statedByteCount != byteCount {
      repairs.append("sizeof_hdr is \(statedByteCount), not \(byteCount); read as \(byteCount)")
    }
    if bitsPerVoxel != 0, bitsPerVoxel != 8 * dataType.byteCount {
      repairs.append(
        "bitpix is \(bitsPerVoxel), but datatype \(dataType.rawValue) has "
          + "\(8 * dataType.byteCount) bits; read as that")
    }
    switch magic {
    case .single: break
    case .pair:
      repairs.append("its magic is that of an .hdr/.img pair; read as one file")
    case .none:
      repairs.append("has no NIfTI magic; read as ANALYZE 7.5, without orientation and scaling")
    }
    return repairs
  }
}
