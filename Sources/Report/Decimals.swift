// SPDX-License-Identifier: Apache-2.0
/// Numbers with a fixed count of decimals; `String(format:)` would pull in Foundation.
package enum Decimals {
  package static func text(_ value: Double, places: Int) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    let factor = (0..<places).reduce(1.0) { factor, _ in factor * 10 }
    let scaled = Int((abs(value) * factor).rounded())
    let whole = scaled / Int(factor)
    let digits = String(scaled % Int(factor))
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard places > 0 else { return "\(sign)\(whole)" }
    return "\(sign)\(whole)." + String(repeating: "0", count: places - digits.count) + digits
  }
}
