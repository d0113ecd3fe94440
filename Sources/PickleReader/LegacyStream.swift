// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// The format of `torch.save` before PyTorch 1.6: five pickles in a row, then the storages.
enum LegacyStream {
  private static let protocolVersion = 1001

  static func read(
    _ bytes: Bytes, toleratingUnknownObjects: Bool
  ) throws(PickleError) -> PickleDocument {
    let storages = StreamedStorages()
    var position = 0
    func next() throws(PickleError) -> (PickleDocument, [TensorStorage]) {
      var machine = PickleMachine(
        bytes, from: position, provider: storages,
        toleratesUnknownObjects: toleratingUnknownObjects)
      let document = try machine.run()
      position = machine.position
      return (document, machine.ownStorages)
    }
    guard case .bigInteger = try next().0.root.kind else {
      throw .malformed(problem: "the magic number is missing", offset: 0)
    }
    guard try next().0.root.integer == protocolVersion else {
      throw .malformed(problem: "the protocol version is not 1001", offset: position)
    }
    guard try next().0.root["little_endian"]?.bool == true else {
      throw .malformed(problem: "it was written on a big-endian machine", offset: position)
    }
    let (document, described) = try next()
    let keys = try next().0.root.elements
    try storages.fill(bytes, from: position, keys: keys, described: described)
    return document
  }
}

/// The storages at the end of a legacy file.
private final class StreamedStorages: StorageProvider, @unchecked Sendable {
  // Invariant: written once by `fill`, before the document that reads it is handed out.
  private var parts: [String: Bytes] = [:]

  func fill(
    _ bytes: Bytes, from start: Int, keys: [PickleValue], described: [TensorStorage]
  ) throws(PickleError) {
    var position = start
    var byteCounts: [String: TensorStorage] = [:]
    for storage in described { byteCounts[storage.key] = storage }
    for value in keys {
      guard let key = value.string, let storage = byteCounts[key], parts[key] == nil else {
        throw .malformed(problem: "the list of storages does not fit the tensors", offset: start)
      }
      let width = storage.elementType.byteCount
      guard let count = bytes.littleEndian(Int64.self, at: position) else {
        throw .truncated(offset: position)
      }
      guard count == Int64(storage.byteCount / width) else {
        throw .storage(
          key: key, problem: "has \(count) elements instead of \(storage.byteCount / width)")
      }
      guard let part = bytes.slice(at: position + 8, count: storage.byteCount) else {
        throw .truncated(offset: bytes.count)
      }
      parts[key] = part
      position += 8 + storage.byteCount
    }
    for storage in described where parts[storage.key] == nil {
      throw .storage(key: storage.key, problem: "is missing in the file")
    }
    guard position == bytes.count else {
      throw .malformed(problem: "bytes follow the last storage", offset: position)
    }
  }

  func bytes(ofStorage key: String, byteCount: Int) throws(PickleError) -> Bytes {
    guard let part = parts[key] else {
      throw .storage(key: key, problem: "is missing in the file")
    }
    return part
  }
}
