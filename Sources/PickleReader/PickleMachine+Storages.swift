// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// The storages that a pickle refers to by persistent ids.
extension PickleMachine {
  /// The storages that the file itself holds.
  var ownStorages: [TensorStorage] { storages.filter { !($0.provider is StorageWindow) } }

  /// Takes a persistent id: `('storage', class, key, location, count[, view])`.
  mutating func pushStorage(_ identifier: Index) throws(PickleError) {
    guard case .tuple(let position) = nodes[Int(identifier)] else {
      throw malformed("a persistent id is no tuple")
    }
    let items = containers[position]
    let parts = items.prefix(6).map { nodes[Int($0)] }
    guard items.count == 5 || items.count == 6, case .string("storage") = parts[0],
      case .symbol(let symbol) = parts[1], case .string(let key) = parts[2],
      case .string = parts[3], case .integer(let count) = parts[4]
    else { throw malformed("a persistent id is not that of a storage") }
    guard key.utf8.count <= 64, !key.isEmpty,
      key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }), key != ".."
    else { throw malformed("a storage key is no plain name") }
    let elementType: ElementType
    switch symbol {
    case .storage("UntypedStorage"), .storage("_UntypedStorage"): elementType = .uint8
    case .storage(let name):
      guard let type = ElementType(storageClass: name) else {
        return try push(.opaque("\(name) storage"))
      }
      elementType = type
    default: throw malformed("a storage's class is none")
    }
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: elementType.byteCount)
    guard count >= 0, !overflow else { throw malformed("a storage has \(count) elements") }
    if let known = storagePositions[key] {
      let storage = storages[known]
      guard storage.elementType == elementType, storage.byteCount == byteCount else {
        throw .storage(key: key, problem: "is described in two ways")
      }
    } else {
      try charge(MemoryLayout<TensorStorage>.stride + 128)
      storagePositions[key] = storages.count
      storages.append(
        TensorStorage(key: key, elementType: elementType, byteCount: byteCount, provider: provider))
    }
    let own = storagePositions[key] ?? 0
    if parts.count == 6, case .tuple(let window) = parts[5] {
      return try pushWindow(containers[window], on: storages[own])
    }
    try push(.storage(own))
  }

  /// A part of a storage `(key, offset, count)`, which PyTorch before 0.4 treated as one of its own.
  private mutating func pushWindow(
    _ parts: [Index], on storage: TensorStorage
  ) throws(PickleError) {
    let width = storage.elementType.byteCount
    let capacity = storage.byteCount / width
    guard parts.count == 3, case .integer(let offset) = nodes[Int(parts[1])],
      case .integer(let count) = nodes[Int(parts[2])], (0...capacity).contains(offset),
      (0...capacity - offset).contains(count)
    else { throw .storage(key: storage.key, problem: "has a view that leaves it") }
    storages.append(
      TensorStorage(
        key: "\(storage.key)+\(offset)", elementType: storage.elementType, byteCount: count * width,
        provider: StorageWindow(storage: storage, offset: offset * width)))
    try push(.storage(storages.count - 1))
  }
}
