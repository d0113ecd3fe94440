// SPDX-License-Identifier: Apache-2.0
import Pipeline
import SWTFormat

extension CaseIdentity {
  /// As results carry it: path, length and hash of every file.
  var json: JSONValue {
    .array(
      files.map { file in
        [
          "path": .string(file.path), "bytes": .integer(file.byteCount),
          "sha256": .string(file.sha256),
        ]
      })
  }

  init?(json: JSONValue) {
    var files: [File] = []
    for entry in json.array ?? [] {
      guard let path = entry["path"]?.string, let byteCount = entry["bytes"]?.integer,
        let sha256 = entry["sha256"]?.string
      else { return nil }
      files.append(File(path: path, byteCount: byteCount, sha256: sha256))
    }
    guard !files.isEmpty else { return nil }
    self.init(files: files)
  }
}
