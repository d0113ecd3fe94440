// SPDX-License-Identifier: Apache-2.0
/// How the scores of several groups of cases are spread over 0…1: a histogram for each, one below the
/// other.
package struct ScoreChart: Chart {
  private let label: String
  private let groups: [(name: String, scores: [Double])]
  private static let bins = 20

  package init(label: String, groups: [(name: String, scores: [Double])]) {
    self.label = label
    self.groups = groups
  }

  package var markup: String {
    typealias Frame = ChartFrame
    let strip = 64.0
    let height = strip * Double(groups.count) + 44
    var content = ""
    for (index, group) in groups.enumerated() {
      var counts = [Int](repeating: 0, count: Self.bins)
      for score in group.scores where score.isFinite {
        counts[min(max(Int(score * Double(Self.bins)), 0), Self.bins - 1)] += 1
      }
      let base = strip * Double(index + 1)
      let tallest = Double(max(counts.max() ?? 1, 1))
      content += Frame.text(
        "\(group.name) (\(group.scores.count))", x: Frame.x(0), y: base - strip + 14)
      for (bin, count) in counts.enumerated() where count > 0 {
        let tall = (strip - 24) * Double(count) / tallest
        let x = Frame.x(Double(bin) / Double(Self.bins))
        content +=
          "<rect x=\"\(Markup.number(x + 0.5))\" y=\"\(Markup.number(base - tall))\" "
          + "width=\"\(Markup.number(Frame.plotWidth / Double(Self.bins) - 1))\" "
          + "height=\"\(Markup.number(tall))\" fill=\"\(Frame.color(index))\">"
          + "<title>\(count)</title></rect>\n"
      }
      content += Frame.line(Frame.x(0), base, Frame.x(1), base, "var(--soft)")
    }
    for tick in [0, 0.25, 0.5, 0.75, 1] {
      content += Frame.text(
        Decimals.text(tick, places: tick == 0 || tick == 1 ? 0 : 2), x: Frame.x(tick),
        y: height - 28, anchor: "middle", soft: true)
    }
    content += Frame.text(label, x: Frame.x(0.5), y: height - 8, anchor: "middle")
    return Frame.svg(label: label, height: height, content)
  }
}
