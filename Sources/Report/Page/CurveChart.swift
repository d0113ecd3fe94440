// SPDX-License-Identifier: Apache-2.0
/// Curves in the unit square, such as ROC curves, beside the diagonal.
package struct CurveChart: Chart {
  /// A curve with its name.
  package struct Curve {
    let name: String
    let points: [(x: Double, y: Double)]

    package init(name: String, points: [(x: Double, y: Double)]) {
      self.name = name
      self.points = points
    }
  }

  private let label: String
  private let axes: (x: String, y: String)
  private let curves: [Curve]

  package init(label: String, x: String, y: String, curves: [Curve]) {
    self.label = label
    axes = (x, y)
    self.curves = curves
  }

  package var markup: String {
    typealias Frame = ChartFrame
    var content = Frame.unitAxes(x: axes.x, y: axes.y)
    content += Frame.line(
      Frame.x(0), Frame.y(0), Frame.x(1), Frame.y(1), "var(--soft)", dashed: true)
    for (index, curve) in curves.enumerated() {
      let points = curve.points.map {
        "\(Markup.number(Frame.x($0.x))),\(Markup.number(Frame.y($0.y)))"
      }
      content +=
        "<polyline fill=\"none\" stroke=\"\(Frame.color(index))\" stroke-width=\"2\" "
        + "points=\"\(points.joined(separator: " "))\"/>\n"
      let y = Frame.y(0) - 10 - 15 * Double(curves.count - 1 - index)
      content += Frame.line(Frame.x(1) - 8, y - 4, Frame.x(1) - 22, y - 4, Frame.color(index))
      content += Frame.text(curve.name, x: Frame.x(1) - 27, y: y, anchor: "end")
    }
    return Frame.svg(label: label, content)
  }
}
