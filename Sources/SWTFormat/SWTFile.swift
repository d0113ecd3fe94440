// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// A `.swt` file, mapped into memory and checked.
///
/// Opening costs the header only; the tensors' bytes are touched when they are used. Whether they are
/// those of the network that the header describes is for the module `Network` to check.
///
/// The file must not be truncated while it is open (the system would raise SIGBUS); replacing it by
/// renaming another over it, as our tools do, is harmless.
public final class SWTFile: Sendable {
  /// The most tensors a file may have.
  package static let tensorLimit = 65_536
  private static let headerDepth = 32

  /// What the model is.
  public let description: ModelDescription
  /// The tensor table, in file order.
  package let tensors: [TensorEntry]
  /// The header's SHA-256 in hex. Since the header holds every tensor's hash, it names the whole model.
  public let modelID: String
  /// Major and minor version of the format.
  package let formatVersion: (major: Int, minor: Int)
  /// The file's length in bytes.
  public let byteCount: Int

  /// What tells whether another path is this file.
  package let identity: MappedFile.Identity
  private let bytes: Bytes
  private let positions: [String: Int]

  /// Opens a file and checks its header; with `verifyingTensors` also every byte of the data.
  ///
  /// - Throws: `SWTError`, naming the field or tensor that is wrong.
  public convenience init(
    contentsOf path: String, verifyingTensors: Bool = false
  ) throws(SWTError) {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw SWTError(.file(error)) }
    try self.init(file: file)
    if verifyingTensors { try verify() }
  }

  /// Checks the header of a mapped file.
  package convenience init(file: MappedFile) throws(SWTError) {
    try self.init(bytes: file.bytes, identity: file.identity)
  }

  init(bytes: Bytes, identity: MappedFile.Identity) throws(SWTError) {
    self.bytes = bytes
    self.identity = identity
    var header = bytes
    let preamble = try Preamble(bytes, header: &header)
    let json = try Self.parseHeader(header)
    description = try ModelDescription(json: json)
    guard preamble.requiredFeatures == description.requiredFeatures else {
      throw SWTError(
        .requiredFeatures(
          declared: preamble.requiredFeatures.rawValue,
          needed: description.requiredFeatures.rawValue))
    }
    tensors = try TensorTable.read(
      json, dataOffset: preamble.dataOffset, fileLength: preamble.fileLength)
    modelID = SHA256.hex(preamble.hash)
    formatVersion = (Int(preamble.majorVersion), Int(preamble.minorVersion))
    byteCount = preamble.fileLength
    positions = Dictionary(
      tensors.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  static func parseHeader(_ header: Bytes) throws(SWTError) -> JSONValue {
    do {
      return try JSONParser.parse(
        header, limits: JSONParser.Limits(byteCount: Preamble.headerLimit, depth: headerDepth))
    } catch { throw SWTError(.header(problem: error.description)) }
  }

  /// The entry of a network's tensor, or `nil` where the file has none of that name.
  ///
  /// - Parameter fold: a position in `description.folds`; 0 in a file of one network.
  package func entry(named name: String, fold: Int) -> TensorEntry? {
    let folds = description.folds
    guard !folds.isEmpty else { return fold == 0 ? entry(named: name) : nil }
    return folds.indices.contains(fold) ? entry(named: folds[fold].prefix + name) : nil
  }

  /// The entry of that name in the table, or `nil` where the file has none.
  package func entry(named name: String) -> TensorEntry? { positions[name].map { tensors[$0] } }

  /// The stored bytes of a tensor, in the map.
  package func bytes(of entry: TensorEntry) -> Bytes {
    bytes.slice(at: entry.offset, count: entry.byteCount) ?? Bytes([])
  }

  /// A tensor's values, widened to `f32`, in row-major order.
  package func values(of entry: TensorEntry) -> [Float] {
    let stored = bytes(of: entry).withUnsafeBytes { entry.dataType.widen($0) }
    guard entry.layout == .packed16 else { return stored }
    return PackedLayout(shape: entry.shape).unpack(stored)
  }

  /// Checks every tensor's hash, and that padding and unused lanes are zero; reads the whole file.
  ///
  /// - Throws: `SWTError`, naming the first tensor or byte that is not as it was written.
  public func verify() throws(SWTError) {
    var end = Preamble.byteCount + (headerLength ?? 0)
    for entry in tensors {
      try checkZero(from: end, to: entry.offset)
      let stored = bytes(of: entry)
      guard SHA256.hex(SHA256.digest(of: stored)) == entry.sha256 else {
        throw SWTError(.tensorHash(name: entry.name))
      }
      if entry.layout == .packed16, entry.shape[0] % TensorLayout.blockWidth != 0 {
        let width = entry.dataType.byteCount
        let used = entry.shape[0] % TensorLayout.blockWidth
        let blockBytes = entry.byteCount / PackedLayout(shape: entry.shape).blockCount
        let lastBlock = entry.offset + entry.byteCount - blockBytes
        for lane in stride(from: lastBlock, to: entry.offset + entry.byteCount, by: 16 * width) {
          try checkZero(from: lane + used * width, to: lane + 16 * width)
        }
      }
      end = entry.offset + entry.byteCount
    }
  }

  private var headerLength: Int? {
    bytes.littleEndian(UInt64.self, at: 32).map { Int(clamping: $0) }
  }

  private func checkZero(from start: Int, to end: Int) throws(SWTError) {
    guard let padding = bytes.slice(at: start, count: max(0, end - start)) else {
      throw SWTError(.padding(offset: start))
    }
    let firstNonZero = padding.withUnsafeBytes { $0.firstIndex { $0 != 0 } }
    if let firstNonZero { throw SWTError(.padding(offset: start + firstNonZero)) }
  }
}
