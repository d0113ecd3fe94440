// SPDX-License-Identifier: Apache-2.0
internal import DICOM
package import FileIO
internal import SWTFormat

/// What a case was read from. Results carry it, so that none is taken for another case's.
package struct CaseIdentity: Sendable, Equatable {
  /// A file as it was when it was read.
  package struct File: Sendable, Equatable {
    /// As it was named.
    package let path: String
    /// Its length in bytes.
    package let byteCount: Int
    /// The SHA-256 of its bytes in hex.
    package let sha256: String

    package init(path: String, byteCount: Int, sha256: String) {
      self.path = path
      self.byteCount = byteCount
      self.sha256 = sha256
    }
  }

  /// The files in the order of the channels; none for channels given in memory.
  package let files: [File]

  package init(files: [File]) { self.files = files }

  /// Reads all files through a bounded buffer.
  package init(of paths: [String]) throws(FileError) {
    var files: [File] = []
    for path in paths {
      let digest = try SHA256.digest(ofFileAt: path)
      files.append(File(path: path, byteCount: digest.byteCount, sha256: SHA256.hex(digest.sha256)))
    }
    self.files = files
  }

  /// Reads all files that a case is made of; those of a DICOM series count as one under its UID, as
  /// their own names may hold names of people.
  package init(of entry: CaseList.Entry) throws(FileError) {
    guard case .dicom(let source) = entry.source else {
      try self.init(of: entry.files)
      return
    }
    var files: [File] = []
    for series in source.series {
      var hash = SHA256()
      var byteCount = 0
      for path in series.paths {
        let digest = try SHA256.digest(ofFileAt: path)
        digest.sha256.withUnsafeBytes { hash.update($0) }
        byteCount += digest.byteCount
      }
      files.append(
        File(path: series.name, byteCount: byteCount, sha256: SHA256.hex(hash.finalize())))
    }
    self.init(files: files)
  }

  /// Whether the other case has the same content, wherever its files lie.
  package func hasContent(of other: CaseIdentity) -> Bool {
    !files.isEmpty && files.map(\.sha256) == other.files.map(\.sha256)
  }
}
