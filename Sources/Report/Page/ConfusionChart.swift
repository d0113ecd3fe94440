// SPDX-License-Identifier: Apache-2.0
/// A confusion matrix: rows are the truth, columns what was predicted; darker is a larger share of the
/// row.
package struct ConfusionChart: Chart {
  private let classes: [String]
  private let counts: [[Int]]

  package init(classes: [String], counts: [[Int]]) {
    self.classes = classes
    self.counts = counts
  }

  package var markup: String {
    typealias Frame = ChartFrame
    let (left, top) = (96.0, 34.0)
    let side = min(70, (Frame.width - left - 8) / Double(max(classes.count, 1)))
    let height = top + side * Double(classes.count) + 12
    var content = ""
    for (row, name) in classes.enumerated() {
      let y = top + side * Double(row)
      content += Frame.text(Self.short(name, 14), x: left - 8, y: y + side / 2 + 4, anchor: "end")
      content += Frame.text(
        Self.short(name, max(3, Int(side / 7))), x: left + side * (Double(row) + 0.5), y: top - 8,
        anchor: "middle")
      let sum = counts[row].reduce(0, +)
      for (column, count) in counts[row].enumerated() {
        let share = sum > 0 ? Double(count) / Double(sum) : 0
        let x = left + side * Double(column)
        let color = row == column ? "var(--c0)" : "var(--c1)"
        content +=
          "<rect x=\"\(Markup.number(x + 1))\" y=\"\(Markup.number(y + 1))\" "
          + "width=\"\(Markup.number(side - 2))\" height=\"\(Markup.number(side - 2))\" rx=\"4\" "
          + "fill=\"\(color)\" fill-opacity=\"\(Markup.number(0.06 + 0.5 * share))\"/>\n"
        content += Frame.text(
          String(count), x: x + side / 2, y: y + side / 2 + 4, anchor: "middle")
      }
    }
    content += Frame.text("predicted", x: left, y: 12, soft: true)
    return Frame.svg(label: "Confusion matrix", height: height, content)
  }

  /// A name that fits; the full one stands in the tables.
  private static func short(_ name: String, _ limit: Int) -> String {
    name.count > limit ? name.prefix(limit - 1) + "…" : name
  }
}
