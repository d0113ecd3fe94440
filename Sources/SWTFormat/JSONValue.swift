// SPDX-License-Identifier: Apache-2.0
/// A JSON value that keeps what JSON leaves to chance: the order of keys, and whether a number was
/// written as an integer.
package indirect enum JSONValue: Sendable, Equatable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number written without fraction or exponent that fits 64 bits.
  case integer(Int)
  /// Any other number; Python's bare `NaN` and `Infinity` only where the parser was told to take them.
  case number(Double)
  /// A string.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object; keys are unique and in the order of the text.
  case object(JSONObject)
}

/// The members of a JSON object in their order, each key once.
package struct JSONObject: Sendable, Equatable {
  /// Keys and values in order.
  package private(set) var members: [(key: String, value: JSONValue)] = []
  // Swift compares strings by canonical equivalence; JSON keys are compared byte by byte.
  private var positions: [[UInt8]: Int] = [:]

  /// An object without members.
  package init() {}

  /// An object with the members in the order given; of a repeated key the last counts.
  package init(_ members: [(key: String, value: JSONValue)]) {
    for member in members { self[member.key] = member.value }
  }

  /// The value of `key`; setting a new key appends it, setting `nil` is ignored.
  package subscript(key: String) -> JSONValue? {
    get { positions[Array(key.utf8)].map { members[$0].value } }
    set {
      guard let newValue else { return }
      if let position = positions[Array(key.utf8)] {
        members[position].value = newValue
      } else {
        positions[Array(key.utf8)] = members.count
        members.append((key, newValue))
      }
    }
  }

  /// Equal when keys, values and order are equal.
  package static func == (left: JSONObject, right: JSONObject) -> Bool {
    left.members.elementsEqual(right.members) {
      $0.key.utf8.elementsEqual($1.key.utf8) && $0.value == $1.value
    }
  }
}

extension JSONValue {
  /// The text of a string.
  package var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The value of an integer; a float that happens to be whole is no integer.
  package var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  /// The value of any number.
  package var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
  /// The value of a boolean.
  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The elements of an array.
  package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  /// The members of an object.
  package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
  /// Whether this is `null`.
  package var isNull: Bool { self == .null }
  /// The member `key` of an object.
  package subscript(key: String) -> JSONValue? { object?[key] }
}
