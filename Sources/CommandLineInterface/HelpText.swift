// SPDX-License-Identifier: Apache-2.0
/// Help as terminals show it.
enum HelpText {
  private static let width = 80

  /// ArgumentParser wraps all but the usage: its options go on below each other.
  static func wrapped(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.count > width ? wrapped(line: $0) : String($0) }.joined(separator: "\n")
  }

  private static func wrapped(line: Substring) -> String {
    guard line.hasPrefix("USAGE: ") else { return String(line) }
    var lines: [String] = []
    var current = "USAGE:"
    for part in parts(of: line.dropFirst("USAGE: ".count)) {
      if current.count + 1 + part.count > width {
        lines.append(current)
        current = "      "
      }
      current += " " + part
    }
    return (lines + [current]).joined(separator: "\n")
  }

  /// What stays on one line: a word, or an option with its value in brackets.
  private static func parts(of text: Substring) -> [String] {
    var parts: [String] = []
    var depth = 0
    for word in text.split(separator: " ") {
      if depth > 0 { parts[parts.count - 1] += " " + word } else { parts.append(String(word)) }
      for character in word { depth += character == "[" ? 1 : character == "]" ? -1 : 0 }
    }
    return parts
  }
}
