// SPDX-License-Identifier: Apache-2.0
internal import PickleReader
internal import SWTFormat

/// Puts pickled values into JSON as plans.json would have them: tuples are lists, NumPy numbers are
/// numbers.
///
/// A field that no JSON can hold (a date, a tuple as key, an object) is left out and noted: only what
/// is used must be sound, and then the note says what was wrong with it.
struct PlainFields {
  /// What was wrong with the fields that were left out, by their paths.
  private(set) var unreadable: [String: String] = [:]

  private var path: [String] = []
  private var budget = PickleLimits.plainValues

  private static let noteLimit = 256
  private static let keyLimit = 1024

  /// The value as JSON; `null` where it cannot be put so.
  ///
  /// Values may be shared and contain themselves, so the tree can be endless: depth and size of the
  /// result are limited.
  ///
  /// - Parameter path: where the value stands, for messages.
  mutating func json(_ value: PickleValue, path: String) throws(ConversionError) -> JSONValue {
    self.path = [path]
    budget = PickleLimits.plainValues
    switch try convert(value) {
    case .json(let json): return json
    case .problem(let problem):
      note(problem)
      return .null
    }
  }

  private enum Outcome {
    case json(JSONValue)
    case problem(String)
  }

  private var pathText: String { self.path.joined(separator: ".") }

  private mutating func note(_ problem: String) {
    if unreadable.count < Self.noteLimit { unreadable[pathText] = problem }
  }

  private mutating func convert(_ value: PickleValue) throws(ConversionError) -> Outcome {
    budget -= 1
    guard budget >= 0 else {
      throw ConversionError(
        .field(path: pathText, problem: "comes after \(PickleLimits.plainValues) other values"))
    }
    guard path.count <= PickleLimits.nesting else {
      throw ConversionError(
        .field(path: pathText, problem: "is nested deeper than \(PickleLimits.nesting) levels"))
    }
    switch value.kind {
    case .none: return .json(.null)
    case .bool(let value): return .json(.bool(value))
    case .integer(let value): return .json(.integer(value))
    case .double(let value): return .json(.number(value))
    case .string(let value), .path(let value), .device(let value): return .json(.string(value))
    case .list, .tuple, .set: return try list(value)
    case .dictionary: return .json(try object(value))
    case .array(let array): return Self.array(array)
    case .bigInteger: return .problem("is an integer beyond 64 bits")
    case .bytes, .tensor, .unreadableTensor: return .problem("is binary data, not a plain value")
    case .opaque(let what): return .problem("is a \(what), not a plain value")
    }
  }

  private mutating func list(_ value: PickleValue) throws(ConversionError) -> Outcome {
    var result: [JSONValue] = []
    for (index, element) in value.elements.enumerated() {
      path.append("[\(index)]")
      defer { path.removeLast() }
      switch try convert(element) {
      case .json(let json): result.append(json)
      case .problem(let problem): return .problem("[\(index)] \(problem)")
      }
    }
    return .json(.array(result))
  }

  private mutating func object(_ value: PickleValue) throws(ConversionError) -> JSONValue {
    var object = JSONObject()
    for entry in value.entries {
      guard let key = entry.key.string ?? entry.key.integer.map(String.init),
        key.utf8.count <= Self.keyLimit
      else {
        note("has a key that is neither a short text nor an integer")
        continue
      }
      path.append(key)
      defer { path.removeLast() }
      switch try convert(entry.value) {
      case .json(let json): object[key] = json
      case .problem(let problem): note(problem)
      }
    }
    return .object(object)
  }

  private static func array(_ array: NumpyArray) -> Outcome {
    guard let numbers = array.numbers, !array.isFortranOrder || array.shape.count < 2,
      array.shape.count <= 4, numbers.count <= 4096, !numbers.isEmpty || array.shape.count <= 1
    else { return .problem("is an array of no numbers, or a large one") }
    var values = numbers.map { number in
      array.isIntegral
        ? Int(exactly: number).map { .integer($0) } ?? .number(number) : JSONValue.number(number)
    }
    guard !array.shape.isEmpty else { return .json(values.first ?? .null) }
    // The last axis first: rows of numbers, then lists of rows.
    for size in array.shape.dropFirst().reversed() {
      values = stride(from: 0, to: values.count, by: size).map {
        .array(Array(values[$0..<$0 + size]))
      }
    }
    return .json(.array(values))
  }
}
