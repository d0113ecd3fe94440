// SPDX-License-Identifier: Apache-2.0
/// Sizes in memory, written and read as people do: `1.5 GB`, `800M`.
package enum ByteCount {
  /// A size in decimal megabytes or gigabytes.
  package static func text(_ count: Int) -> String {
    let isLarge = count >= 1_000_000_000
    let tenths = (Double(count) / (isLarge ? 1e8 : 1e5)).rounded(.up)
    let whole = Int(tenths) / 10
    return "\(whole).\(Int(tenths) % 10) \(isLarge ? "GB" : "MB")"
  }

  /// A number of bytes, or with `K`, `M`, `G`, `T` (powers of 1000) or `Ki`, `Mi`, … (of 1024), and
  /// perhaps a `B`, behind it; `nil` where it is none.
  package static func parse(_ text: String) -> Int? {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    var suffix = text.dropFirst(number.count).lowercased()
    guard let value = Double(number), value > 0 else { return nil }
    if suffix.hasSuffix("b") { suffix.removeLast() }
    let isBinary = suffix.hasSuffix("i")
    if isBinary { suffix.removeLast() }
    let powers = ["": 0, "k": 1, "m": 2, "g": 3, "t": 4]
    guard let power = powers[suffix], !isBinary || power > 0 else { return nil }
    let bytes = (0..<power).reduce(value) { value, _ in value * (isBinary ? 1024 : 1000) }
    return bytes >= 1 && bytes < 0x1p60 ? Int(bytes) : nil
  }
}
