// SPDX-License-Identifier: Apache-2.0
public import FileIO

/// Why a `.swt` file cannot be read or written.
public struct SWTError: Error, Equatable, Sendable {
  package enum Reason: Equatable, Sendable {
    /// The operating system refused.
    case file(FileError)
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
    case header(problem: String)
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
    case tensorLayout(name: String, found: String, expected: String)
    /// A tensor's bytes do not have the hash in the table.
    case tensorHash(name: String)
    /// Padding between tensors, or an unused lane of a packed tensor, is not zero.
    case padding(offset: Int)
    /// A value does not fit the narrower type that was asked for.
    case overflow(name: String, value: Float, dataType: TensorDataType)
  }

  package let reason: Reason

  package init(_ reason: Reason) { self.reason = reason }
}

extension SWTError: Failure {
  package var kind: FailureKind {
    if case .file(let error) = reason { error.kind } else { .badInput }
  }

  /// One line: what is wrong, where, and what to do.
  public var description: String { message() }

  /// What kind of failure it is: the number that libswt's `swt_status` has for it.
  public var status: Int32 { kind.codes.status }

  package var report: FailureReport {
    switch reason {
    case .file(let error): error.report
    case .notSWT(let found):
      .init("this is no .swt file but \(found)", advice: "convert it with nnconvert first")
    case .truncatedPreamble(let byteCount):
      .init(
        "the file has only \(byteCount) bytes, less than a .swt preamble",
        advice: "copy it again")
    case .wrongEndianness:
      .init(
        "the file was written big-endian, which SWT does not allow",
        advice: "convert the checkpoint again")
    case .unsupportedVersion(let major, let minor):
      .init(
        "the file has format version \(major).\(minor); this program reads 1.x",
        advice: "use a newer one")
    case .unknownRequiredFeatures(let bits):
      .init(
        "the file needs features this program does not have (bits 0x\(String(bits, radix: 16)))",
        advice: "use a newer version")
    case .requiredFeatures(let declared, let needed):
      .init(
        "the preamble declares required features 0x\(String(declared, radix: 16)) where the "
          + "header needs 0x\(String(needed, radix: 16))",
        advice: "the file is damaged")
    case .reservedBytes(let offset):
      .init("reserved byte \(offset) of the preamble is not zero", advice: "the file is damaged")
    case .headerLength(let length, let limit):
      .init("the header length \(length) is outside 2…\(limit)", advice: "the file is damaged")
    case .dataOffset(let found, let expected):
      .init("the data offset is \(found) instead of \(expected)", advice: "the file is damaged")
    case .fileLength(let declared, let actual):
      .init(
        "the file has \(actual) bytes but declares \(declared)",
        advice: UInt64(actual) < declared
          ? "it is truncated, copy it again" : "it has trailing data")
    case .headerHash: .init("the header does not match its SHA-256", advice: "the file is damaged")
    case .header(let problem): "bad header: \(problem)"
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
      .init("tensor \(DisplayText.quoted(name)) is missing", advice: "convert the checkpoint again")
    case .unexpectedTensor(let name):
      "tensor \(DisplayText.quoted(name)) does not belong to this architecture"
    case .tensorShape(let name, let found, let expected):
      "tensor \(DisplayText.quoted(name)) has shape \(found) where the architecture needs \(expected)"
    case .tensorLayout(let name, let found, let expected):
      "tensor \(DisplayText.quoted(name)) has layout \(found) instead of \(expected)"
    case .tensorHash(let name):
      .init(
        "tensor \(DisplayText.quoted(name)) does not match its SHA-256",
        advice: "the file is damaged")
    case .padding(let offset):
      .init("byte \(offset) is padding but not zero", advice: "the file is damaged")
    case .overflow(let name, let value, let dataType):
      .init(
        "tensor \(DisplayText.quoted(name)) holds \(value), which \(dataType.rawValue) cannot",
        advice: "convert with \(.dataType) f32")
    }
  }
}
