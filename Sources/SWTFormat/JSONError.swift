// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// Why a text is not the JSON that we take.
package enum JSONError: Error, Equatable, Sendable {
  /// The text is longer than the limit.
  case tooLong(byteCount: Int, limit: Int)
  /// Arrays and objects are nested deeper than the limit.
  case tooDeep(limit: Int, offset: Int)
  /// The text is not valid UTF-8.
  case invalidUTF8(offset: Int)
  /// Something else than JSON stands at `offset`.
  case unexpected(found: String, expected: String, offset: Int)
  /// The text ends in the middle of a value.
  case unexpectedEnd
  /// A key occurs twice in one object.
  case duplicateKey(String, offset: Int)
  /// A number that no double can hold, or `NaN`/`Infinity` where they are not taken.
  case badNumber(String, offset: Int)
}

extension JSONError: Failure {
  package var kind: FailureKind { .badInput }

  /// What is wrong, and where.
  package var description: String { message() }

  package var report: FailureReport {
    switch self {
    case .tooLong(let byteCount, let limit):
      "the JSON text has \(byteCount) bytes, more than the limit of \(limit)"
    case .tooDeep(let limit, let offset):
      "JSON nested deeper than \(limit) levels at byte \(offset)"
    case .invalidUTF8(let offset):
      "invalid UTF-8 in JSON at byte \(offset)"
    case .unexpected(let found, let expected, let offset):
      "\(DisplayText.quoted(found)) at byte \(offset) of the JSON, where \(expected) should stand"
    case .unexpectedEnd:
      "the JSON text ends in the middle of a value"
    case .duplicateKey(let key, let offset):
      "key \(DisplayText.quoted(key)) occurs twice in one JSON object (byte \(offset))"
    case .badNumber(let text, let offset):
      "\(DisplayText.quoted(text)) at byte \(offset) of the JSON is no number we can take"
    }
  }
}
