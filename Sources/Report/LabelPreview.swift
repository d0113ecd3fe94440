// SPDX-License-Identifier: Apache-2.0
/// Three planes of a scan with the outlines of its labels, and what they are.
package struct LabelPreview {
  /// A label and what is told of it.
  package struct Entry {
    package var label: Int
    package var text: String

    package init(label: Int, text: String) {
      self.label = label
      self.text = text
    }
  }

  package var title: String
  package var scan: OrientedVolume
  /// Whether the scan's numbers are Hounsfield units, which are shown in a soft-tissue window.
  package var isCT: Bool
  /// A label for every voxel of the scan.
  package var labels: [UInt16]
  /// In the order in which they are listed.
  package var legend: [Entry]

  package init(
    title: String, scan: OrientedVolume, isCT: Bool, labels: [UInt16], legend: [Entry]
  ) {
    precondition(labels.count == scan.values.count)
    self.title = title
    self.scan = scan
    self.isCT = isCT
    self.labels = labels
    self.legend = legend
  }

  private static let panel = 400
  private static let margin = 16
  private static let line = 20

  /// The voxel that planes go through: in every axis the plane with the most labelled voxels.
  private var center: [Int] {
    var counts = scan.shape.map { [Int](repeating: 0, count: $0) }
    let (height, width) = (scan.shape[1], scan.shape[2])
    for (index, label) in labels.enumerated() where label != 0 {
      counts[0][index / (height * width)] += 1
      counts[1][index / width % height] += 1
      counts[2][index % width] += 1
    }
    return counts.map { counts in
      guard let most = counts.max(), most > 0 else { return counts.count / 2 }
      return counts.firstIndex(of: most) ?? 0
    }
  }

  package func picture() -> Picture {
    let (margin, line) = (Self.margin, Self.line)
    let extents = zip(scan.shape, scan.spacing).map { Double($0) * $1 }.filter { $0 < 5_000 }
    var drawing = SliceDrawing(
      scan, window: isCT ? -160...240 : scan.percentileWindow(),
      scale: Double(Self.panel) / (extents.max() ?? 1))
    let (height, width) = (scan.shape[1], scan.shape[2])
    drawing.label = { place in
      guard zip(place, scan.shape).allSatisfy({ (0..<$1).contains($0) }) else { return 0 }
      return Int(labels[(place[0] * height + place[1]) * width + place[2]])
    }
    let center = center
    let panels = AnatomicalPlane.allCases.map { drawing.picture($0, through: center) }
    let texts = [title] + legend.map { "    " + $0.text }
    let textWidth = (texts.map(\.count).max() ?? 0) * 2 * PixelFont.advance
    let panelHeight = panels.map(\.height).max() ?? 0
    var picture = Picture(
      width: margin + max(panels.reduce(0) { $0 + $1.width + margin }, textWidth + margin),
      height: 2 * margin + 2 * line + panelHeight + margin + legend.count * line)
    picture.write(title, x: margin, y: margin)
    var left = margin
    for (plane, panel) in zip(AnatomicalPlane.allCases, panels) {
      picture.write(plane.name, x: left, y: margin + line, Picture.Color(gray: 150))
      picture.place(panel, x: left, y: margin + 2 * line)
      left += panel.width + margin
    }
    var top = 2 * margin + 2 * line + panelHeight
    for entry in legend {
      picture.fill(
        x: margin..<margin + 14, y: top..<top + 14, SliceDrawing.color(ofLabel: entry.label))
      picture.write(entry.text, x: margin + 2 * line, y: top)
      top += line
    }
    return picture
  }
}
