// SPDX-License-Identifier: Apache-2.0
/// How often the winner is right, against the probability it was given; the area of a point is its
/// number of cases.
package struct ReliabilityChart: Chart {
  /// A bin of cases.
  package struct Bin {
    let confidence: Double
    let accuracy: Double
    let count: Int

    package init(confidence: Double, accuracy: Double, count: Int) {
      self.confidence = confidence
      self.accuracy = accuracy
      self.count = count
    }
  }

  private let bins: [Bin]

  package init(bins: [Bin]) { self.bins = bins }

  package var markup: String {
    typealias Frame = ChartFrame
    var content = Frame.unitAxes(x: "probability of the winner", y: "share that is right")
    content += Frame.line(
      Frame.x(0), Frame.y(0), Frame.x(1), Frame.y(1), "var(--soft)", dashed: true)
    let largest = Double(bins.map(\.count).max() ?? 1)
    for bin in bins {
      let radius = 3 + 9 * (Double(bin.count) / largest).squareRoot()
      content +=
        "<circle cx=\"\(Markup.number(Frame.x(bin.confidence)))\" "
        + "cy=\"\(Markup.number(Frame.y(bin.accuracy)))\" r=\"\(Markup.number(radius))\" "
        + "fill=\"var(--c0)\" fill-opacity=\"0.55\" stroke=\"var(--c0)\">"
        + "<title>\(bin.count) cases</title></circle>\n"
    }
    return Frame.svg(label: "Reliability diagram", content)
  }
}
