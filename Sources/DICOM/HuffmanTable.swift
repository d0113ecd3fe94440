// SPDX-License-Identifier: Apache-2.0
/// A JPEG Huffman table of the number of bits by which pixels differ; see ITU T.81, annex C.
struct HuffmanTable: Sendable {
  static let longestCode = 16
  /// Codes up to this length are looked up at once.
  static let directBits = 9

  /// For the next bits: length of the code << 8 | its value; 0 where the code is longer.
  let direct: [UInt16]
  /// For every length: the first code, how many there are, and where their values begin.
  private let first: [Int]
  private let counts: [Int]
  private let offsets: [Int]
  private let values: [UInt8]

  /// `counts` is how many codes there are of the lengths 1 to 16; `nil` where they do not fit.
  init?(counts lengths: [UInt8], values: [UInt8]) {
    guard lengths.count == Self.longestCode, values.allSatisfy({ $0 <= 16 }) else { return nil }
    var direct = [UInt16](repeating: 0, count: 1 << Self.directBits)
    var first = [0]
    var counts = [0]
    var offsets = [0]
    var (code, offset) = (0, 0)
    for length in 1...Self.longestCode {
      let count = Int(lengths[length - 1])
      guard code + count <= 1 << length, offset + count <= values.count else { return nil }
      first.append(code)
      counts.append(count)
      offsets.append(offset)
      if length <= Self.directBits {
        let free = Self.directBits - length
        for index in 0..<count {
          let entry = UInt16(length) << 8 | UInt16(values[offset + index])
          for rest in 0..<1 << free { direct[(code + index) << free | rest] = entry }
        }
      }
      code = (code + count) << 1
      offset += count
    }
    guard offset == values.count else { return nil }
    self.direct = direct
    self.first = first
    self.counts = counts
    self.offsets = offsets
    self.values = values
  }

  /// The value of a code of `length` bits, or `nil` where there is none.
  func value(ofCode code: Int, length: Int) -> UInt8? {
    let index = code - first[length]
    return (0..<counts[length]).contains(index) ? values[offsets[length] + index] : nil
  }
}
