// SPDX-License-Identifier: Apache-2.0
/// How far values are from those of a reference.
///
/// What is not a number never passes: the difference is infinite where the reference is finite and a value is
/// not, where the reference is not and the value is another, where there are more or fewer values, and where
/// there are none – unlike a maximum of differences, which skips NaN.
package struct Difference: Sendable, CustomStringConvertible {
  /// The largest distance of a value from the reference's.
  package private(set) var absolute = 0.0
  /// The largest value of the reference, by magnitude.
  package private(set) var largest = 0.0
  /// Where the largest distance is; `nil` where all values are the reference's.
  package private(set) var position: Int?
  /// The value there, and the reference's; `nil` where one of them has no such value.
  package private(set) var found: Double?
  package private(set) var expected: Double?

  /// The largest distance over the reference's largest value; where that is 0, the distance itself.
  package var relative: Double { largest > 0 ? absolute / largest : absolute }

  package init<Found: Collection, Expected: Collection>(_ values: Found, _ reference: Expected)
  where Found.Element: BinaryFloatingPoint, Expected.Element: BinaryFloatingPoint {
    guard values.count == reference.count, !reference.isEmpty else {
      absolute = .infinity
      position = min(values.count, reference.count)
      return
    }
    for (index, pair) in zip(values, reference).enumerated() {
      let (value, expected) = (Double(pair.0), Double(pair.1))
      if expected.isFinite { largest = max(largest, abs(expected)) }
      let isSame = value == expected || value.isNaN && expected.isNaN
      let areFinite = value.isFinite && expected.isFinite
      let distance = isSame ? 0 : areFinite ? abs(value - expected) : .infinity
      guard distance > absolute else { continue }
      (absolute, position) = (distance, index)
      (found, self.expected) = (value, expected)
    }
  }

  package var description: String {
    guard let position else { return "no difference" }
    guard let found, let expected else { return "only \(position) values are there to compare" }
    let relation = "\(absolute), \(relative) of the largest value"
    return "\(relation), at \(position): \(found), not \(expected)"
  }
}
