// SPDX-License-Identifier: Apache-2.0
extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  /// A string.
  package init(stringLiteral value: String) { self = .string(value) }
  /// An integer.
  package init(integerLiteral value: Int) { self = .integer(value) }
  /// A number.
  package init(floatLiteral value: Double) { self = .number(value) }
  /// A boolean.
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  /// An array.
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  /// An object with the members in the order written.
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    var object = JSONObject()
    for (key, value) in elements { object[key] = value }
    self = .object(object)
  }

  /// A string, or `null`.
  package init(_ string: String?) { self = string.map { .string($0) } ?? .null }
  /// An integer, or `null`.
  package init(_ integer: Int?) { self = integer.map { .integer($0) } ?? .null }
  /// A list of integers.
  package init(_ integers: [Int]) { self = .array(integers.map { .integer($0) }) }
  /// A list of numbers.
  package init(_ numbers: [Double]) { self = .array(numbers.map { .number($0) }) }
  /// A list of strings.
  package init(_ strings: [String]) { self = .array(strings.map { .string($0) }) }
}
