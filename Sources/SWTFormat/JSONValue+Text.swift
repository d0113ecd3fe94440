// SPDX-License-Identifier: Apache-2.0
extension JSONValue {
  /// One text for one value: keys sorted by their UTF-8 bytes, no white space, numbers as short as
  /// they can be. Non-finite numbers become `null`.
  package var canonicalText: String {
    var writer = JSONWriter(isCanonical: true)
    writer.write(self)
    return writer.text
  }

  /// Text for people: two spaces per level, keys in their order.
  package var prettyText: String {
    var writer = JSONWriter(isCanonical: false)
    writer.write(self)
    return writer.text
  }

  /// One line, keys in their order.
  package var lineText: String {
    var writer = JSONWriter(isCanonical: false, isOneLine: true)
    writer.write(self)
    return writer.text
  }
}

/// Writes JSON text.
private struct JSONWriter {
  let isCanonical: Bool
  var isOneLine = false
  private(set) var text = ""
  private var depth = 0

  init(isCanonical: Bool, isOneLine: Bool = false) {
    self.isCanonical = isCanonical
    self.isOneLine = isOneLine
  }

  mutating func write(_ value: JSONValue) {
    switch value {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += String(value)
    case .number(let value): text += value.isFinite ? value.description : "null"
    case .string(let value): write(string: value)
    case .array(let elements): write(array: elements)
    case .object(let object):
      var members = object.members
      if isCanonical {
        members.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      }
      write(members: members)
    }
  }

  private mutating func write(array elements: [JSONValue]) {
    // Short lists of numbers read better on one line.
    let isFlat = elements.allSatisfy { $0.array == nil && $0.object == nil }
    text += "["
    depth += 1
    for (index, element) in elements.enumerated() {
      if index > 0 { text += isFlat && !isCanonical && !isOneLine ? ", " : "," }
      if !isFlat { breakLine() }
      write(element)
    }
    depth -= 1
    if !isFlat { breakLine() }
    text += "]"
  }

  private mutating func write(members: [(key: String, value: JSONValue)]) {
    text += "{"
    depth += 1
    for (index, member) in members.enumerated() {
      if index > 0 { text += "," }
      breakLine()
      write(string: member.key)
      text += isCanonical || isOneLine ? ":" : ": "
      write(member.value)
    }
    depth -= 1
    if !members.isEmpty { breakLine() }
    text += "}"
  }

  private mutating func breakLine() {
    guard !isCanonical, !isOneLine else { return }
    text += "\n" + String(repeating: "  ", count: depth)
  }

  private mutating func write(string: String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{0}"..<"\u{20}", "\u{7F}":
        text += "\\u" + Self.hexadecimal(UInt16(scalar.value))
      case let hidden where !isCanonical && hidden.isHiddenInText:
        for unit in String(hidden).utf16 { text += "\\u" + Self.hexadecimal(unit) }
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }

  private static func hexadecimal(_ unit: UInt16) -> String {
    let digits = String(unit, radix: 16)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }
}

extension Unicode.Scalar {
  /// Whether a terminal would obey it or a reader not see it: controls, marks that turn the direction
  /// of writing, separators of lines.
  fileprivate var isHiddenInText: Bool {
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}
