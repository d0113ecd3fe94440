// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// A file written by `torch.save`: the values of its pickle, and tensors that read their storages
/// when asked.
package struct TorchFile: Sendable {
  /// How the file is laid out.
  package enum Layout: String, Sendable {
    case zip
    case legacy
  }

  package let layout: Layout
  package let document: PickleDocument
  package var root: PickleValue { document.root }

  /// Reads a checkpoint from its bytes.
  ///
  /// - Parameters:
  ///   - toleratingUnknownObjects: keep Python objects that are not on the allow-list as inert
  ///     values instead of refusing the file.
  package init(_ bytes: Bytes, toleratingUnknownObjects: Bool = false) throws(PickleError) {
    switch FileKind.sniff(bytes) {
    case .zip:
      try self.init(
        archive: try ZipArchive(bytes), toleratingUnknownObjects: toleratingUnknownObjects)
    case .legacyTorch:
      self.init(
        layout: .legacy,
        document: try LegacyStream.read(
          bytes, toleratingUnknownObjects: toleratingUnknownObjects))
    case let kind: throw .unsupportedKind(kind)
    }
  }

  private init(layout: Layout, document: PickleDocument) {
    self.layout = layout
    self.document = document
  }

  /// Reads a checkpoint from an archive that is open already.
  package init(archive: ZipArchive, toleratingUnknownObjects: Bool = false) throws(PickleError) {
    let storages = try ArchivedStorages(archive)
    let stored = storages.pickle.compressedCount
    let limit = PickleLimits.inflatedPickleBytes(storedByteCount: stored)
    guard storages.pickle.count <= limit else {
      throw .inflate(
        entry: storages.pickle.name, problem: "inflates to more than \(limit) bytes")
    }
    let pickle = try archive.content(of: storages.pickle, limit: limit)
    var machine = PickleMachine(
      pickle, storedByteCount: stored, provider: storages,
      toleratesUnknownObjects: toleratingUnknownObjects)
    let document = try machine.run()
    guard machine.position == pickle.count else {
      throw .malformed(problem: "bytes follow its end", offset: machine.position)
    }
    for storage in machine.ownStorages { try storages.check(storage) }
    self.init(layout: .zip, document: document)
  }

  /// The pickle of a plain pickle file that refers to no storages (nnU-Net v1's `.model.pkl`).
  package static func plainPickle(
    _ bytes: Bytes, toleratingUnknownObjects: Bool = false
  ) throws(PickleError) -> PickleDocument {
    guard bytes.count <= PickleLimits.pickleBytes else {
      throw .limit(what: "bytes in the pickle", limit: PickleLimits.pickleBytes, offset: 0)
    }
    var machine = PickleMachine(
      bytes, provider: StoredBytes(Bytes([])), toleratesUnknownObjects: toleratingUnknownObjects)
    let document = try machine.run()
    guard machine.position == bytes.count else {
      throw .malformed(problem: "bytes follow its end", offset: machine.position)
    }
    return document
  }
}

/// The storages of a zip checkpoint: entries `<folder>/data/<key>`.
private struct ArchivedStorages: StorageProvider {
  private let archive: ZipArchive
  private let folder: String
  let pickle: ZipArchive.Entry

  init(_ archive: ZipArchive) throws(PickleError) {
    self.archive = archive
    func isTop(_ name: String) -> Bool { !name.hasPrefix("__MACOSX/") }
    let pickles = archive.entries.filter {
      $0.name.utf8.split(separator: UInt8(ascii: "/")).last?.elementsEqual("data.pkl".utf8) == true
        && isTop($0.name)
    }
    guard let pickle = pickles.first else {
      let isExport = archive.entries.contains { $0.name.hasSuffix("models/model.json") }
      if isExport { throw .unsupportedKind(.torchExport) }
      throw .missingEntry("data.pkl")
    }
    let folder = String(pickle.name.dropLast("data.pkl".count))
    let isTorchScript = archive.entries.contains {
      $0.name == folder + "constants.pkl" || $0.name.hasPrefix(folder + "code/")
    }
    if isTorchScript { throw .unsupportedKind(.torchScript) }
    guard pickles.count == 1 else {
      throw .zip(problem: "it holds several data.pkl", entry: pickles[1].name)
    }
    self.pickle = pickle
    self.folder = folder
    for (name, allowed) in [("byteorder", ["little"]), ("version", nil as [String]?)] {
      guard let entry = archive.entry(named: folder + name) else { continue }
      guard entry.count <= 64, let text = try archive.content(of: entry, limit: 64).utf8 else {
        throw .zip(problem: "is not what PyTorch writes", entry: entry.name)
      }
      if let allowed, !allowed.contains(text) {
        throw .zip(
          problem: "says byte order '\(DisplayText.escaped(text))', we read little-endian",
          entry: entry.name)
      }
    }
  }

  private func entry(_ key: String) throws(PickleError) -> ZipArchive.Entry {
    guard let entry = archive.entry(named: "\(folder)data/\(key)") else {
      throw .storage(key: key, problem: "is missing in the archive")
    }
    return entry
  }

  /// Checks a storage's size without reading it.
  func check(_ storage: TensorStorage) throws(PickleError) {
    let entry = try entry(storage.key)
    guard entry.count == storage.byteCount else {
      throw .storage(
        key: storage.key, problem: "has \(entry.count) bytes instead of \(storage.byteCount)")
    }
  }

  func bytes(ofStorage key: String, byteCount: Int) throws(PickleError) -> Bytes {
    try archive.content(of: try entry(key))
  }
}
