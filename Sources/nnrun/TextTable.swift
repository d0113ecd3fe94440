import FileIO
import Glibc

/// A table for people: columns as wide as their widest cell.
struct TextTable {
  let header: [String]
  let rows: [[String]]

  var text: String {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
      let line = zip(row, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.count)
      }.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }
}

extension TextTable {
  /// A label and a text per line, the texts aligned.
  static func labelled(_ rows: [[String]]) -> String {
    let width = (rows.map { $0[0].count }.max() ?? 0) + 2
    return rows.map {
      "\($0[0])\(String(repeating: " ", count: width - $0[0].count))"
        + "\(DisplayText.escaped($0[1]))\n"
    }.joined()
  }
}

/// Numbers with a fixed count of decimals; `String(format:)` would pull in Foundation.
enum Decimals {
  static func text(_ value: Double, places: Int) -> String {
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

/// eˣ.
func exponential(_ x: Double) -> Double { exp(x) }
