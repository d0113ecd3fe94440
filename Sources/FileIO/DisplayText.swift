// SPDX-License-Identifier: Apache-2.0
/// Text from untrusted files, made fit for one line of an error message.
package enum DisplayText {
  /// The longest piece of foreign text that a message repeats, in bytes.
  package static let limit = 200

  /// `text` in quotes, with control characters escaped, cut at `limit` bytes.
  package static func quoted(_ text: String) -> String {
    "'" + escaped(text) + "'"
  }

  /// `text` with control characters escaped, cut at `limit` bytes.
  package static func escaped(_ text: String) -> String { escaped(text, limit: limit) }

  /// `text` with control characters escaped, cut at `limit` bytes.
  package static func escaped(_ text: String, limit: Int) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      let piece = isPlain(scalar) ? String(scalar) : scalar.escaped(asASCII: true)
      guard result.utf8.count + piece.utf8.count <= limit else { return result + "…" }
      result += piece
    }
    return result
  }

  /// The most pieces of foreign text that a message lists.
  private static let listLimit = 20

  /// Pieces of foreign text, separated by commas; of many the first and how many more there are.
  package static func list(_ texts: [String]) -> String {
    let shown = texts.prefix(listLimit).map { escaped($0) }.joined(separator: ", ")
    return texts.count > listLimit ? "\(shown) and \(texts.count - listLimit) more" : shown
  }

  /// Letters, digits, marks and punctuation; not controls, nor what reorders or hides text.
  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
      .unassigned:
      false
    default: true
    }
  }
}
