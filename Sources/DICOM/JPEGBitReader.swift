// SPDX-License-Identifier: Apache-2.0
/// The bits of a JPEG scan, without the zeros stuffed behind bytes of ones.
struct JPEGBitReader {
  // Invariant: used only while the memory is valid; every access is below `source.count`.
  private let source: UnsafeRawBufferPointer
  private var position: Int
  private var bits: UInt64 = 0
  private var count = 0

  init(_ source: UnsafeRawBufferPointer, from start: Int) {
    self.source = source
    position = start
  }

  /// The next coded difference, or `nil` where the data ends or has no such code.
  mutating func difference(
    _ table: HuffmanTable, _ direct: UnsafeBufferPointer<UInt16>
  ) -> Int? {
    fill()
    guard let category = category(table, direct) else { return nil }
    guard category > 0 else { return 0 }
    guard category < 16 else { return 32_768 }
    guard let value = take(Int(category)) else { return nil }
    // Without its highest bit a value stands for a negative one.
    return value >> (category - 1) == 1 ? value : value - (1 << category) + 1
  }

  /// Passes a marker that has to come now, with the bits left over before it.
  mutating func skipMarker(_ markers: ClosedRange<UInt8>) -> Bool {
    guard count < 8, position + 1 < source.count, source[position] == 0xFF,
      markers.contains(source[position + 1])
    else { return false }
    position += 2
    (bits, count) = (0, 0)
    return true
  }

  private mutating func category(
    _ table: HuffmanTable, _ direct: UnsafeBufferPointer<UInt16>
  ) -> UInt8? {
    // Past the end of the data the lookup sees zeros; `take` refuses what was not there.
    let missing = HuffmanTable.directBits - count
    let next =
      missing > 0
      ? Int(truncatingIfNeeded: bits << UInt64(missing))
      : Int(truncatingIfNeeded: bits >> UInt64(-missing))
    let entry = direct[next & ((1 << HuffmanTable.directBits) - 1)]
    if entry > 0 {
      return take(Int(entry >> 8)) == nil ? nil : UInt8(truncatingIfNeeded: entry)
    }
    var length = HuffmanTable.directBits
    guard var code = take(length) else { return nil }
    while length < HuffmanTable.longestCode {
      guard let bit = take(1) else { return nil }
      code = code << 1 | bit
      length += 1
      if let value = table.value(ofCode: code, length: length) { return value }
    }
    return nil
  }

  private mutating func take(_ wanted: Int) -> Int? {
    guard wanted <= count else { return nil }
    count -= wanted
    return Int(truncatingIfNeeded: bits >> UInt64(count)) & ((1 << wanted) - 1)
  }

  /// Reads on as far as the next marker; a code and its difference have at most 31 bits.
  private mutating func fill() {
    while count <= 48, position < source.count {
      let byte = source[position]
      if byte == 0xFF {
        guard position + 1 < source.count, source[position + 1] == 0 else { return }
        position += 1
      }
      position += 1
      bits = bits << 8 | UInt64(byte)
      count += 8
    }
  }
}
