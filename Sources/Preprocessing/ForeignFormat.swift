// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// What a file is that is no NIfTI image, told by its first bytes, and what to do about it.
enum ForeignFormat {
  private static let convert = "convert it to .nii.gz (SimpleITK, dcm2niix)"

  /// The problem in words, for a message that begins with the file's name.
  static func problem(of bytes: Bytes) -> String {
    if bytes.isEmpty { return "is empty — copy the scan again" }
    let start = bytes.slice(at: 0, count: min(bytes.count, 512))?.array ?? []
    if start.allSatisfy({ $0 == 0 }) {
      return "begins with nothing but zeros — copy the scan again"
    }
    for (signature, offset, name) in signatures where bytes.hasBytes(signature, at: offset) {
      return name
    }
    let text = String(decoding: start, as: UTF8.self).lowercased()
      .drop { $0.isWhitespace || $0 == "\u{FEFF}" }
    if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") || text.contains("<html") {
      return "is a web page, not a scan — download it again, perhaps after logging in"
    }
    if text.hasPrefix("version https://git-lfs") {
      return "is a git-lfs pointer, not the scan itself — fetch it with git lfs pull"
    }
    if text.hasPrefix("../") || text.contains(".git/annex/objects") {
      return "is a git-annex pointer, not the scan itself — fetch it with git annex get"
    }
    if text.hasPrefix("<?xml") { return "is XML, not a scan — download it again" }
    if text.hasPrefix("{") || text.hasPrefix("[") {
      return "is JSON, not a scan — name the scan beside it"
    }
    if start.allSatisfy({ $0 >= 32 && $0 < 127 || (9...13).contains($0) }) {
      return "is text, not a scan — download it again"
    }
    return "is no NIfTI image (voxels alone, as in an .img file?) — \(convert)"
  }

  /// First bytes, where they stand, and what they mean.
  private static let signatures: [([UInt8], Int, String)] = [
    ([0x1F, 0x8B], 0, "is gzipped twice — unpack it once with gunzip"),
    ([0x89, 0x50, 0x4E, 0x47], 0, "is a PNG image — \(convert)"),
    ([0xFF, 0xD8, 0xFF], 0, "is a JPEG image — \(convert)"),
    ([0x49, 0x49, 0x2A, 0], 0, "is a TIFF image — \(convert)"),
    ([0x4D, 0x4D, 0, 0x2A], 0, "is a TIFF image — \(convert)"),
    (Array("NRRD".utf8), 0, "is a NRRD image — \(convert)"),
    (Array("ObjectType".utf8), 0, "is a MetaImage — \(convert)"),
    (Array("DICM".utf8), 128, "is a DICOM file — \(convert)"),
    ([0x93] + Array("NUMPY".utf8), 0, "is a NumPy array — name it .npy"),
    ([0x89] + Array("HDF".utf8), 0, "is an HDF5 file (MINC?) — \(convert)"),
    (Array("CDF".utf8), 0, "is a MINC file — \(convert)"),
    (Array("PK\u{3}\u{4}".utf8), 0, "is a zip archive — unpack it"),
    (Array("PK\u{5}\u{6}".utf8), 0, "is an empty zip archive — copy the scan again"),
    ([0xFD] + Array("7zXZ".utf8), 0, "is compressed with xz — unpack it with unxz"),
    (Array("BZh".utf8), 0, "is compressed with bzip2 — unpack it with bunzip2"),
    ([0x28, 0xB5, 0x2F, 0xFD], 0, "is compressed with zstd — unpack it with unzstd"),
    ([0x37, 0x7A, 0xBC, 0xAF], 0, "is a 7z archive — unpack it"),
    (Array("Rar!".utf8), 0, "is a RAR archive — unpack it"),
    (Array("ustar".utf8), 257, "is a tar archive — unpack it"),
    (Array("%PDF".utf8), 0, "is a PDF document — name a scan"),
    ([0, 0, 0, 1, 0, 0], 0, "is an MGH/MGZ image — convert it with mri_convert"),
  ]
}
