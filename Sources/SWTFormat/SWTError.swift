package import FileIO

/// Why a `.swt` file cannot be read or written.
public enum SWTError: Error, Equatable, Sendable {
  /// What went wrong with a file.
  public enum FileFault: Sendable, Equatable {
    /// An input cannot be opened.
    case cannotOpen
    /// An output cannot be created.
    case cannotCreate
    /// Reading or writing failed in the middle.
    case inputOutput
  }

  /// The operating system refused; `message` says what.
  case file(FileFault, message: String)
  /// The file does not start with the magic bytes.
  case notSWT(found: String)
  /// The file is shorter than a preamble.
  case truncatedPreamble(byteCount: Int)
  /// The endianness mark is not the little-endian one.
  case wrongEndianness
  /// The file's major version is newer than this reader.
  case unsupportedVersion(major: Int, minor: Int)
  /// The file needs a feature that this reader does not have.
  case unknownRequiredFeatures(bits: UInt64)
  /// The preamble declares other features than the header needs.
  case requiredFeatures(declared: UInt64, needed: UInt64)
  /// A reserved byte of the preamble is not zero.
  case reservedBytes(offset: Int)
  /// The header's length is zero, too large, or leaves the file.
  case headerLength(Int, limit: Int)
  /// The data does not start where it has to.
  case dataOffset(found: UInt64, expected: Int)
  /// The declared length is not the file's.
  case fileLength(declared: UInt64, actual: Int)
  /// The header does not have the hash that the preamble names.
  case headerHash
  /// The header is no JSON that we take.
  case header(JSONError)
  /// A field of the header is missing or has a value it cannot have.
  case field(path: String, problem: String)
  /// Too many tensors.
  case tensorCount(Int, limit: Int)
  /// Two tensors have one name.
  case duplicateTensor(name: String)
  /// A tensor's byte length does not follow from its shape, type and layout.
  case tensorByteCount(name: String, declared: Int, expected: Int)
  /// A tensor is not where the layout rules put it.
  case tensorOffset(name: String, declared: Int, expected: Int)
  /// The bytes after the last tensor are unaccounted for, or missing.
  case dataEnd(tensorsEnd: Int, fileLength: Int)
  /// The architecture needs a tensor that the file does not have.
  case missingTensor(name: String)
  /// The file has a tensor that the architecture does not know.
  case unexpectedTensor(name: String)
  /// A tensor's shape or layout is not what the architecture needs.
  case tensorShape(name: String, found: [Int], expected: [Int])
  /// A tensor is stored in another layout than its role needs.
  case tensorLayout(name: String, found: TensorLayout, expected: TensorLayout)
  /// A tensor's bytes do not have the hash in the table.
  case tensorHash(name: String)
  /// Padding between tensors, or an unused lane of a packed tensor, is not zero.
  case padding(offset: Int)
  /// A value does not fit the narrower type that was asked for.
  case overflow(name: String, value: Float, dataType: TensorDataType)
}

extension SWTError {
  package init(_ error: FileError) {
    let fault: FileFault =
      switch error {
      case .cannotOpen, .notARegularFile: .cannotOpen
      case .cannotCreate, .outputNotAFile, .outputExists, .outputIsInput: .cannotCreate
      case .cannotRead, .cannotWrite: .inputOutput
      }
    self = .file(fault, message: "\(error)")
  }
}

extension SWTError: CustomStringConvertible {
  /// What is wrong, where, and what to do.
  public var description: String {
    switch self {
    case .file(_, let message): message
    case .notSWT(let found): "this is no .swt file but \(found) — convert it with nnconvert first"
    case .truncatedPreamble(let byteCount):
      "the file has only \(byteCount) bytes, less than a .swt preamble — copy it again"
    case .wrongEndianness:
      "the file was written big-endian, which SWT does not allow — convert the checkpoint again"
    case .unsupportedVersion(let major, let minor):
      "the file has format version \(major).\(minor); this program reads 1.x — use a newer one"
    case .unknownRequiredFeatures(let bits):
      "the file needs features this program does not have (bits 0x\(String(bits, radix: 16))) "
        + "— use a newer version"
    case .requiredFeatures(let declared, let needed):
      "the preamble declares required features 0x\(String(declared, radix: 16)) where the "
        + "header needs 0x\(String(needed, radix: 16)) — the file is damaged"
    case .reservedBytes(let offset):
      "reserved byte \(offset) of the preamble is not zero — the file is damaged"
    case .headerLength(let length, let limit):
      "the header length \(length) is outside 2…\(limit) — the file is damaged"
    case .dataOffset(let found, let expected):
      "the data offset is \(found) instead of \(expected) — the file is damaged"
    case .fileLength(let declared, let actual):
      "the file has \(actual) bytes but declares \(declared) — "
        + (UInt64(actual) < declared ? "it is truncated, copy it again" : "it has trailing data")
    case .headerHash: "the header does not match its SHA-256 — the file is damaged"
    case .header(let error): "bad header: \(error)"
    case .field(let path, let problem):
      "header field \(DisplayText.quoted(path)): \(problem)"
    case .tensorCount(let count, let limit): "\(count) tensors, more than the limit of \(limit)"
    case .duplicateTensor(let name):
      "tensor \(DisplayText.quoted(name)) is in the table twice"
    case .tensorByteCount(let name, let declared, let expected):
      "tensor \(DisplayText.quoted(name)) declares \(declared) bytes instead of \(expected)"
    case .tensorOffset(let name, let declared, let expected):
      "tensor \(DisplayText.quoted(name)) is at offset \(declared) instead of \(expected)"
    case .dataEnd(let tensorsEnd, let fileLength):
      "the tensors end at byte \(tensorsEnd) but the file at \(fileLength)"
    case .missingTensor(let name):
      "tensor \(DisplayText.quoted(name)) is missing — convert the checkpoint again"
    case .unexpectedTensor(let name):
      "tensor \(DisplayText.quoted(name)) does not belong to this architecture"
    case .tensorShape(let name, let found, let expected):
      "tensor \(DisplayText.quoted(name)) has shape \(found) where the architecture needs \(expected)"
    case .tensorLayout(let name, let found, let expected):
      "tensor \(DisplayText.quoted(name)) has layout \(found.rawValue) instead of "
        + expected.rawValue
    case .tensorHash(let name):
      "tensor \(DisplayText.quoted(name)) does not match its SHA-256 — the file is damaged"
    case .padding(let offset): "byte \(offset) is padding but not zero — the file is damaged"
    case .overflow(let name, let value, let dataType):
      "tensor \(DisplayText.quoted(name)) holds \(value), which \(dataType.rawValue) cannot — "
        + "convert with --dtype f32"
    }
  }
}
