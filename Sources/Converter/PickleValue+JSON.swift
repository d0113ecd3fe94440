internal import PickleReader
internal import SWTFormat

extension PickleValue {
  /// The value as plans.json would have it: tuples are lists, NumPy numbers are numbers.
  ///
  /// - Parameter path: where the value stands, for messages.
  func json(path: String) throws(ConversionError) -> JSONValue {
    var budget = PickleLimits.plainValues
    return try json(path: path, depth: 0, budget: &budget)
  }

  /// Values may be shared and contain themselves, so the tree can be endless: depth and size of the
  /// result are limited.
  private func json(
    path: String, depth: Int, budget: inout Int
  ) throws(ConversionError) -> JSONValue {
    budget -= 1
    guard budget >= 0 else {
      throw .field(path: path, problem: "comes after \(PickleLimits.plainValues) other values")
    }
    guard depth < PickleLimits.nesting else {
      throw .field(path: path, problem: "is nested deeper than \(PickleLimits.nesting) levels")
    }
    switch kind {
    case .none: return .null
    case .bool(let value): return .bool(value)
    case .integer(let value): return .integer(value)
    case .double(let value): return .number(value)
    case .string(let value), .path(let value), .device(let value): return .string(value)
    case .list, .tuple, .set:
      var result: [JSONValue] = []
      for (index, element) in elements.enumerated() {
        result.append(
          try element.json(path: "\(path)[\(index)]", depth: depth + 1, budget: &budget))
      }
      return .array(result)
    case .dictionary:
      var object = JSONObject()
      for entry in entries {
        guard let key = entry.key.string ?? entry.key.integer.map(String.init) else {
          throw .field(path: path, problem: "has a key that is neither text nor integer")
        }
        object[key] = try entry.value.json(
          path: "\(path).\(key)", depth: depth + 1, budget: &budget)
      }
      return .object(object)
    case .array(let array):
      guard array.shape.count <= 1, let numbers = array.numbers else {
        throw .field(path: path, problem: "is an array of more than one axis or of no numbers")
      }
      let values = numbers.map { number in
        array.isIntegral
          ? Int(exactly: number).map { .integer($0) } ?? .number(number)
          : JSONValue.number(number)
      }
      return array.shape.isEmpty ? values.first ?? .null : .array(values)
    case .bigInteger: throw .field(path: path, problem: "is an integer beyond 64 bits")
    case .bytes, .tensor: throw .field(path: path, problem: "is binary data, not a plain value")
    case .opaque(let what): throw .field(path: path, problem: "is a \(what), not a plain value")
    }
  }
}
