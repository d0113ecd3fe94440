// SPDX-License-Identifier: Apache-2.0
internal import Foundation

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// A folder that lives as long as the value.
package final class TemporaryFolder: Sendable {
  package let path: String

  package init() throws {
    var template = Array("/tmp/nnconvert-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw MissingFixture(path: "/tmp") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  package func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Names of everything in the folder, hidden files included.
  package var content: [String] {
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}
