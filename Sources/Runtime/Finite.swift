// SPDX-License-Identifier: Apache-2.0
/// Whether numbers are numbers.
package enum Finite {
  /// Whether no value is infinite or NaN; much faster than `allSatisfy(\.isFinite)`.
  package static func holds(_ values: UnsafeBufferPointer<Float>) -> Bool {
    // An infinity or NaN has all bits of the exponent, which stay set in the largest pattern without sign.
    var largest: UInt32 = 0
    for value in values { largest = max(largest, value.bitPattern & 0x7FFF_FFFF) }
    return largest < Float.infinity.bitPattern
  }
}
