// SPDX-License-Identifier: Apache-2.0
/// Values that are stored as text: numbers and UIDs.
enum ValueText {
  /// The parts between backslashes, without the blanks and NULs around them.
  static func parts(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    bytes.split(separator: UInt8(ascii: "\\"), omittingEmptySubsequences: false).map(trimmed)
  }

  static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let isPadding = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == 0 }
    let start = bytes.drop(while: isPadding)
    return start.prefix(through: start.lastIndex { !isPadding($0) } ?? start.startIndex - 1)
  }

  /// `[+-]?(d+.?d*|.d+)([eE][+-]?d{1,3})?`, finite: less than what parsers of numbers accept.
  static func decimal(_ bytes: ArraySlice<UInt8>) -> Double? {
    var rest = bytes
    skipSign(&rest)
    let whole = skipDigits(&rest)
    var fraction = 0
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      fraction = skipDigits(&rest)
    }
    guard whole + fraction > 0 else { return nil }
    if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
      rest.removeFirst()
      skipSign(&rest)
      guard (1...3).contains(skipDigits(&rest)) else { return nil }
    }
    guard rest.isEmpty, let number = Double(String(decoding: bytes, as: UTF8.self)),
      number.isFinite
    else { return nil }
    return number
  }

  /// `[+-]?d+`, as far as an `Int` goes.
  static func integer(_ bytes: ArraySlice<UInt8>) -> Int? {
    var rest = bytes
    skipSign(&rest)
    guard skipDigits(&rest) > 0, rest.isEmpty else { return nil }
    return Int(String(decoding: bytes, as: UTF8.self))
  }

  static func isUID(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { isDigit($0) || $0 == UInt8(ascii: ".") }
  }

  private static func skipSign(_ bytes: inout ArraySlice<UInt8>) {
    if bytes.first == UInt8(ascii: "+") || bytes.first == UInt8(ascii: "-") { bytes.removeFirst() }
  }

  private static func skipDigits(_ bytes: inout ArraySlice<UInt8>) -> Int {
    let count = bytes.prefix(while: isDigit).count
    bytes.removeFirst(count)
    return count
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
