/// Text from untrusted files, made fit for one line of an error message.
package enum DisplayText {
  /// The longest piece of foreign text that a message repeats, in bytes.
  package static let limit = 200

  /// `text` in quotes, with control characters escaped, cut at `limit` bytes.
  package static func quoted(_ text: String) -> String {
    "'" + escaped(text) + "'"
  }

  /// `text` with control characters escaped, cut at `limit` bytes.
  package static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      let piece = isPlain(scalar) ? String(scalar) : scalar.escaped(asASCII: true)
      guard result.utf8.count + piece.utf8.count <= limit else { return result + "…" }
      result += piece
    }
    return result
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
