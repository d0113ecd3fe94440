// SPDX-License-Identifier: Apache-2.0

/// Texts that begin names in keys of a state dict: at a key's start, or behind a dot.
///
/// Compared byte by byte: a hostile file has tens of thousands of keys.
struct NameMarkers<Owner: Sendable>: Sendable {
  private let markers: [(owner: Owner, text: [UInt8])]

  /// - Parameter markers: where several begin the same name, the first counts.
  init(_ markers: [(owner: Owner, text: String)]) {
    self.markers = markers.map { ($0.owner, Array($0.text.utf8)) }
  }

  /// The first name of a key that one of them begins: whose it is, and how many bytes stand before.
  func first(in key: String) -> (owner: Owner, offset: Int)? {
    var key = key
    return key.withUTF8 { bytes in
      var start = 0
      while true {
        let rest = bytes[start...]
        if let marker = markers.first(where: { rest.starts(with: $0.text) }) {
          return (marker.owner, start)
        }
        guard let dot = rest.firstIndex(of: UInt8(ascii: ".")) else { return nil }
        start = dot + 1
      }
    }
  }
}
