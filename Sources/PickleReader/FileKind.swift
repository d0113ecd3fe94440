// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// What a file is, told by its content and never by its name.
package enum FileKind: Sendable, Equatable {
  case zip
  case legacyTorch
  case barePickle
  case safetensors
  case swt
  case json
  case torchScript
  case torchExport
  case tar
  case gzip
  case compressedNIfTI
  case hdf5
  case gguf
  case onnx
  case numpy
  case nifti
  case gitLFSPointer
  case html
  case empty
  case unknown

  /// The first pickle of a legacy file holds one integer, 0x1950a86a20f9469cfc6c.
  static let legacyMagic: [UInt8] = [
    0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19,
  ]

  /// Looks at the first bytes. A zip archive is not opened: what is in it is not told apart here.
  package static func sniff(_ bytes: Bytes) -> FileKind {
    func starts(_ text: String, at offset: Int = 0) -> Bool {
      bytes.hasBytes(Array(text.utf8), at: offset)
    }
    if bytes.isEmpty { return .empty }
    if bytes.hasBytes([0x50, 0x4B, 0x03, 0x04]) || bytes.hasBytes([0x50, 0x4B, 0x05, 0x06]) {
      return .zip
    }
    if bytes.hasBytes([0x89, 0x53, 0x57, 0x54]) { return .swt }
    if bytes.byte(at: 0) == 0x80, let version = bytes.byte(at: 1), (2...5).contains(version) {
      let isLegacy = (2...13).contains { bytes.hasBytes([0x8A, 0x0A] + legacyMagic, at: $0) }
      return isLegacy ? .legacyTorch : .barePickle
    }
    if starts("version https://git-lfs") { return .gitLFSPointer }
    if starts("ustar", at: 257) { return .tar }
    if bytes.hasBytes([0x1F, 0x8B]) {
      let start = Inflater.gzipStart(bytes, count: 4)
      return start.map { isNIfTI(Bytes($0)) } == true ? .compressedNIfTI : .gzip
    }
    if bytes.hasBytes([0x89, 0x48, 0x44, 0x46]) { return .hdf5 }
    if starts("GGUF") { return .gguf }
    if bytes.hasBytes([0x93] + Array("NUMPY".utf8)) { return .numpy }
    if let length = bytes.littleEndian(UInt64.self, at: 0), bytes.byte(at: 8) == UInt8(ascii: "{"),
      length < UInt64(bytes.count)
    {
      return .safetensors
    }
    if isNIfTI(bytes) { return .nifti }
    let text = bytes.slice(at: 0, count: min(bytes.count, 256))?.array.drop {
      [0x20, 0x09, 0x0A, 0x0D].contains($0)
    }
    let start = String(decoding: text?.prefix(14) ?? [], as: UTF8.self).lowercased()
    if start.hasPrefix("<!doctype") || start.hasPrefix("<html") || start.hasPrefix("<?xml") {
      return .html
    }
    if start.hasPrefix("{") { return .json }
    if bytes.byte(at: 0) == 0x08, bytes.byte(at: 2) == 0x12 { return .onnx }
    return .unknown
  }

  /// What the kind is.
  package var name: String {
    sentence.firstRange(of: " — ").map { String(sentence[..<$0.lowerBound]) } ?? sentence
  }

  /// A header's size in either byte order.
  private static func isNIfTI(_ bytes: Bytes) -> Bool {
    guard let size = bytes.littleEndian(Int32.self, at: 0) else { return false }
    return [348, 540].contains(size) || [348, 540].contains(size.byteSwapped)
  }

  /// What the kind is, and what to do with a file of it where a checkpoint is wanted.
  package var sentence: String {
    switch self {
    case .zip: "a zip archive without a PyTorch checkpoint or an nnU-Net model folder in it"
    case .legacyTorch: "a PyTorch checkpoint in the format from before version 1.6"
    case .barePickle: "a plain pickle, not a PyTorch checkpoint — save it with torch.save"
    case .safetensors: "a safetensors file"
    case .swt: "a .swt file already"
    case .json: "a JSON text — name the checkpoint (.pth) or the model folder"
    case .torchScript: "a TorchScript module — save model.state_dict() with torch.save instead"
    case .torchExport:
      "a torch.export program (.pt2) — save model.state_dict() with torch.save instead"
    case .tar:
      "a tar archive (PyTorch before 0.1.10 wrote these) — load it in an old PyTorch and "
        + "save it again, or unpack it"
    case .gzip: "a gzip file — unpack it first"
    case .hdf5: "an HDF5 file (Keras?) — nnU-Net checkpoints are .pth files"
    case .gguf: "a GGUF file — nnU-Net checkpoints are .pth files"
    case .onnx: "an ONNX graph — convert the checkpoint (.pth) it was exported from"
    case .numpy: "a NumPy array — name the checkpoint (.pth)"
    case .nifti: "a NIfTI image — name the checkpoint (.pth)"
    case .compressedNIfTI: "a compressed NIfTI image — name the checkpoint (.pth)"
    case .gitLFSPointer: "a git-lfs pointer, not the file itself — run 'git lfs pull'"
    case .html: "an HTML page, probably a failed download — download the checkpoint again"
    case .empty: "an empty file — copy or download it again"
    case .unknown: "no checkpoint, nor any file we know — name an nnU-Net checkpoint (.pth)"
    }
  }
}
