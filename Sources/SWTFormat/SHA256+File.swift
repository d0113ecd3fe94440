// SPDX-License-Identifier: Apache-2.0
package import FileIO

extension SHA256 {
  /// The digest of a file, read through a bounded buffer, and how long it is.
  package static func digest(
    ofFileAt path: String
  ) throws(FileError) -> (sha256: [UInt8], byteCount: Int) {
    let file = try FileReader(path: path)
    let buffer = HeapBuffer(byteCount: 1 << 18)
    var hash = SHA256()
    var byteCount = 0
    while true {
      let count = try file.read(into: buffer.memory)
      hash.update(UnsafeRawBufferPointer(rebasing: buffer.memory[..<count]))
      byteCount += count
      if count < buffer.memory.count { return (hash.finalize(), byteCount) }
    }
  }
}
