// SPDX-License-Identifier: Apache-2.0
/// A drawing in SVG.
package protocol Chart {
  /// An `svg` element.
  var markup: String { get }
}

/// What charts share: the frame, its scale, and colours that most people can tell apart.
enum ChartFrame {
  static let width = 360.0
  static let height = 320.0
  static let left = 46.0
  static let right = 12.0
  static let top = 10.0
  static let bottom = 42.0

  static var plotWidth: Double { width - left - right }
  static var plotHeight: Double { height - top - bottom }

  static func x(_ unit: Double) -> Double { left + unit * plotWidth }
  static func y(_ unit: Double) -> Double { top + (1 - unit) * plotHeight }

  static func color(_ index: Int) -> String { "var(--c\(index % 6))" }

  /// An `svg` element with a name for those who do not see it.
  static func svg(label: String, height: Double = height, _ content: String) -> String {
    "<svg viewBox=\"0 0 \(Markup.number(width)) \(Markup.number(height))\" role=\"img\" "
      + "aria-label=\"\(Markup.escaped(label))\">\n\(content)</svg>"
  }

  static func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ stroke: String = "var(--line)",
    dashed: Bool = false
  ) -> String {
    "<line x1=\"\(Markup.number(x1))\" y1=\"\(Markup.number(y1))\" x2=\"\(Markup.number(x2))\" "
      + "y2=\"\(Markup.number(y2))\" stroke=\"\(stroke)\""
      + (dashed ? " stroke-dasharray=\"4 4\"" : "") + "/>\n"
  }

  static func text(
    _ text: String, x: Double, y: Double, anchor: String = "start", soft: Bool = false,
    rotated: Bool = false
  ) -> String {
    let place = "x=\"\(Markup.number(x))\" y=\"\(Markup.number(y))\""
    let turn =
      rotated ? " transform=\"rotate(-90 \(Markup.number(x)) \(Markup.number(y)))\"" : ""
    return "<text \(place) text-anchor=\"\(anchor)\"\(soft ? " class=\"soft\"" : "")\(turn)>"
      + "\(Markup.escaped(text))</text>\n"
  }

  /// Axes of the unit square with their names.
  static func unitAxes(x horizontal: String, y vertical: String) -> String {
    var result = ""
    for tick in [0, 0.25, 0.5, 0.75, 1] {
      result += line(x(tick), y(0), x(tick), y(1)) + line(x(0), y(tick), x(1), y(tick))
      let label = Decimals.text(tick, places: tick == 0 || tick == 1 ? 0 : 2)
      result += text(label, x: x(tick), y: y(0) + 15, anchor: "middle", soft: true)
      result += text(label, x: x(0) - 6, y: y(tick) + 4, anchor: "end", soft: true)
    }
    result += text(horizontal, x: x(0.5), y: height - 8, anchor: "middle")
    return result + text(vertical, x: 12, y: y(0.5), anchor: "middle", rotated: true)
  }
}
