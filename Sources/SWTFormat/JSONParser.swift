// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// A strict JSON parser (RFC 8259) that keeps key order and never repairs.
///
/// Refused: duplicate keys, nesting beyond the limit, invalid UTF-8, lone surrogates, a byte-order
/// mark, anything after the value. Python's bare `NaN`, `Infinity` and `-Infinity`, which nnU-Net's
/// plans may hold, are taken on request.
package struct JSONParser {
  /// What a text may cost.
  package struct Limits: Sendable {
    package var byteCount = 16 << 20
    package var depth = 64
    package init(byteCount: Int = 16 << 20, depth: Int = 64) {
      self.byteCount = byteCount
      self.depth = depth
    }
  }

  private let text: [UInt8]
  private let limits: Limits
  private let takesPythonNonFinite: Bool
  private var position = 0
  private var depth = 0

  /// Parses a whole text.
  package static func parse(
    _ bytes: Bytes, limits: Limits = Limits(), allowingPythonNonFinite: Bool = false
  ) throws(JSONError) -> JSONValue {
    guard bytes.count <= limits.byteCount else {
      throw .tooLong(byteCount: bytes.count, limit: limits.byteCount)
    }
    var parser = JSONParser(
      text: bytes.array, limits: limits, takesPythonNonFinite: allowingPythonNonFinite)
    let value = try parser.parseValue()
    parser.skipSpace()
    guard parser.position == parser.text.count else {
      throw parser.unexpected("the end")
    }
    return value
  }

  private init(text: [UInt8], limits: Limits, takesPythonNonFinite: Bool) {
    self.text = text
    self.limits = limits
    self.takesPythonNonFinite = takesPythonNonFinite
  }

  private var next: UInt8? { position < text.count ? text[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private func unexpected(_ expected: String) -> JSONError {
    guard position < text.count else { return .unexpectedEnd }
    let found = String(decoding: text[position..<min(position + 12, text.count)], as: UTF8.self)
    return .unexpected(found: found, expected: expected, offset: position)
  }

  private mutating func take(_ word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard count <= text.count - position else { return false }
    let matches = word.withUTF8Buffer { text[position..<position + count].elementsEqual($0) }
    if matches { position += count }
    return matches
  }

  private mutating func parseValue() throws(JSONError) -> JSONValue {
    skipSpace()
    guard let byte = next else { throw .unexpectedEnd }
    switch byte {
    case UInt8(ascii: "{"):
      return try nested { (parser) throws(JSONError) in try parser.parseObject() }
    case UInt8(ascii: "["):
      return try nested { (parser) throws(JSONError) in try parser.parseArray() }
    case UInt8(ascii: "\""): return .string(try parseString())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
    default: break
    }
    if take("true") { return .bool(true) }
    if take("false") { return .bool(false) }
    if take("null") { return .null }
    if takesPythonNonFinite {
      if take("NaN") { return .number(.nan) }
      if take("Infinity") { return .number(.infinity) }
    }
    throw unexpected("a value")
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(JSONError) -> JSONValue
  ) throws(JSONError) -> JSONValue {
    guard depth < limits.depth else { throw .tooDeep(limit: limits.depth, offset: position) }
    depth += 1
    position += 1
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func parseArray() throws(JSONError) -> JSONValue {
    var elements: [JSONValue] = []
    skipSpace()
    if next == UInt8(ascii: "]") {
      position += 1
      return .array([])
    }
    while true {
      elements.append(try parseValue())
      guard try continues(until: UInt8(ascii: "]")) else { return .array(elements) }
    }
  }

  private mutating func parseObject() throws(JSONError) -> JSONValue {
    var object = JSONObject()
    skipSpace()
    if next == UInt8(ascii: "}") {
      position += 1
      return .object(object)
    }
    while true {
      skipSpace()
      let start = position
      guard next == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
      let key = try parseString()
      guard object[key] == nil else { throw .duplicateKey(key, offset: start) }
      skipSpace()
      guard next == UInt8(ascii: ":") else { throw unexpected("':'") }
      position += 1
      object[key] = try parseValue()
      guard try continues(until: UInt8(ascii: "}")) else { return .object(object) }
    }
  }

  /// Takes a comma (and returns true) or the closing bracket (and returns false).
  private mutating func continues(until closing: UInt8) throws(JSONError) -> Bool {
    skipSpace()
    if next == UInt8(ascii: ",") {
      position += 1
      return true
    }
    guard next == closing else { throw unexpected("',' or the closing bracket") }
    position += 1
    return false
  }

  private mutating func parseString() throws(JSONError) -> String {
    let start = position
    position += 1
    var result: [UInt8] = []
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        guard let string = String(validating: result, as: UTF8.self) else {
          throw .invalidUTF8(offset: start)
        }
        return string
      case UInt8(ascii: "\\"):
        position += 1
        result += try parseEscape()
      case 0..<0x20:
        throw unexpected("an escaped control character")
      default:
        result.append(byte)
        position += 1
      }
    }
    throw .unexpectedEnd
  }

  private mutating func parseEscape() throws(JSONError) -> [UInt8] {
    guard let byte = next else { throw .unexpectedEnd }
    let simple: [UInt8: UInt8] = [
      UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "/"): 0x2F,
      UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C, UInt8(ascii: "n"): 0x0A,
      UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09,
    ]
    if let value = simple[byte] {
      position += 1
      return [value]
    }
    guard byte == UInt8(ascii: "u") else { throw unexpected("an escape sequence") }
    var code = UInt32(try parseCodeUnit())
    if (0xD800..<0xDC00).contains(code) {
      guard next == UInt8(ascii: "\\") else {
        throw unexpected("the second half of a surrogate pair")
      }
      position += 1
      guard next == UInt8(ascii: "u") else {
        throw unexpected("the second half of a surrogate pair")
      }
      let low = UInt32(try parseCodeUnit())
      guard (0xDC00..<0xE000).contains(low) else { throw unexpected("a low surrogate before this") }
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else {
      throw unexpected("a high surrogate before this")
    }
    return Array(String(scalar).utf8)
  }

  /// Takes `uXXXX`.
  private mutating func parseCodeUnit() throws(JSONError) -> UInt16 {
    position += 1
    guard position + 4 <= text.count else { throw .unexpectedEnd }
    var value: UInt16 = 0
    for byte in text[position..<position + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw unexpected("four hexadecimal digits")
      }
      value = value << 4 | UInt16(digit)
    }
    position += 4
    return value
  }

  private mutating func parseNumber() throws(JSONError) -> JSONValue {
    let start = position
    let isNegative = next == UInt8(ascii: "-")
    if isNegative { position += 1 }
    if isNegative, takesPythonNonFinite, take("Infinity") { return .number(-.infinity) }
    let integerStart = position
    skipDigits()
    guard position > integerStart else { throw unexpected("a digit") }
    guard text[integerStart] != UInt8(ascii: "0") || position == integerStart + 1 else {
      position = integerStart
      throw unexpected("a number without leading zeros")
    }
    var isInteger = true
    if next == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      try takeDigits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isInteger = false
      position += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
      try takeDigits()
    }
    let digits = String(decoding: text[start..<position], as: UTF8.self)
    if isInteger, let value = Int(digits) { return .integer(value) }
    guard let value = Double(digits), value.isFinite else {
      throw .badNumber(digits, offset: start)
    }
    return .number(value)
  }

  private mutating func skipDigits() {
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
  }

  private mutating func takeDigits() throws(JSONError) {
    let start = position
    skipDigits()
    guard position > start else { throw unexpected("a digit") }
  }
}
