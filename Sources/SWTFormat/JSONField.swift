// SPDX-License-Identifier: Apache-2.0
/// A place in a JSON header, read with checks: every complaint names the path.
package struct JSONField {
  package let path: String
  package let value: JSONValue

  package init(path: String, value: JSONValue) {
    self.path = path
    self.value = value
  }

  package func problem(_ text: String) -> SWTError { SWTError(.field(path: path, problem: text)) }

  /// The member `key`, which must be there.
  package subscript(key: String) -> JSONField {
    get throws(SWTError) {
      guard let object = value.object else { throw problem("is no object") }
      guard let member = object[key] else { throw child(key, .null).problem("is missing") }
      return child(key, member)
    }
  }

  /// The member `key`, or `nil` where it is missing or null.
  package func optional(_ key: String) throws(SWTError) -> JSONField? {
    guard let object = value.object else { throw problem("is no object") }
    guard let member = object[key], !member.isNull else { return nil }
    return child(key, member)
  }

  private func child(_ key: String, _ value: JSONValue) -> JSONField {
    JSONField(path: path.isEmpty ? key : "\(path).\(key)", value: value)
  }

  /// The elements of an array with a number of entries in `count`.
  package func elements(_ count: ClosedRange<Int>) throws(SWTError) -> [JSONField] {
    guard let array = value.array else { throw problem("is no array") }
    guard count.contains(array.count) else {
      throw problem("has \(array.count) entries instead of \(Self.text(count))")
    }
    return array.enumerated().map { JSONField(path: "\(path)[\($0)]", value: $1) }
  }

  package func integer(_ range: ClosedRange<Int>) throws(SWTError) -> Int {
    guard let integer = value.integer else { throw problem("is no integer") }
    guard range.contains(integer) else {
      throw problem("is \(integer), outside \(Self.text(range))")
    }
    return integer
  }

  package func integers(_ range: ClosedRange<Int>, count: ClosedRange<Int>) throws(SWTError)
    -> [Int]
  {
    var result: [Int] = []
    for element in try elements(count) { result.append(try element.integer(range)) }
    return result
  }

  package func number() throws(SWTError) -> Double {
    guard let number = value.double, number.isFinite else { throw problem("is no finite number") }
    return number
  }

  package func bool() throws(SWTError) -> Bool {
    guard let bool = value.bool else { throw problem("is neither true nor false") }
    return bool
  }

  /// A string without control characters, at most `limit` bytes long.
  package func string(limit: Int = 1024) throws(SWTError) -> String {
    guard let string = value.string else { throw problem("is no string") }
    if let text = Self.problem(of: string, limit: limit) { throw problem(text) }
    return string
  }

  /// What keeps a text out of a header, as it follows a name of it; `nil` where nothing does.
  static func problem(of string: String, limit: Int) -> String? {
    if string.utf8.count > limit { return "is longer than \(limit) bytes" }
    let isPlain = string.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    return isPlain ? nil : "has control characters"
  }

  /// The longest name, in bytes.
  static let nameLimit = 256

  package func name(limit: Int = Self.nameLimit) throws(SWTError) -> String {
    let name = try string(limit: limit)
    guard !name.isEmpty else { throw problem("is empty") }
    return name
  }

  package func choice<Choice: RawRepresentable & CaseIterable>(
    _ type: Choice.Type = Choice.self
  ) throws(SWTError) -> Choice where Choice.RawValue == String {
    let string = try string()
    guard let choice = Choice(rawValue: string) else {
      let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw problem("is none of \(known)")
    }
    return choice
  }

  private static func text(_ range: ClosedRange<Int>) -> String {
    range.lowerBound == range.upperBound
      ? "\(range.lowerBound)" : "\(range.lowerBound)…\(range.upperBound)"
  }
}
