// SPDX-License-Identifier: Apache-2.0
/// A scan and what the network sees of it, plane by plane and channel by channel: so that a person
/// sees whether orientation, spacing, crop and normalisation are right.
package struct ScanPreview {
  /// One channel, as it was read and as it was prepared.
  package struct Channel {
    package var name: String
    package var scan: OrientedVolume
    package var prepared: OrientedVolume
    /// Whether the scan's numbers are Hounsfield units, which are shown in a soft-tissue window.
    package var isCT: Bool

    package init(name: String, scan: OrientedVolume, prepared: OrientedVolume, isCT: Bool) {
      self.name = name
      self.scan = scan
      self.prepared = prepared
      self.isCT = isCT
    }
  }

  package var title: String
  package var channels: [Channel]
  /// The region that is kept, in voxels of the scan.
  package var cropBox: [Range<Int>]
  /// For every axis of the prepared image the axis of the scan (`transpose_forward`).
  package var transposeForward: [Int]
  /// What the network looks at, in voxels of the prepared image.
  package var windows: [[Range<Int>]]
  /// What is shown of the prepared image: all windows together.
  package var area: [Range<Int>]

  package init(
    title: String, channels: [Channel], cropBox: [Range<Int>], transposeForward: [Int],
    windows: [[Range<Int>]], area: [Range<Int>]
  ) {
    self.title = title
    self.channels = channels
    self.cropBox = cropBox
    self.transposeForward = transposeForward
    self.windows = windows
    self.area = area
  }

  private static let panel = 320
  private static let margin = 16
  private static let line = 20
  private static let softTissue: ClosedRange<Float> = -160...240
  private static let cropColor = Picture.Color(255, 160, 0)
  private static let windowColor = Picture.Color(90, 200, 90)

  /// The whole picture: two rows for every channel, the same planes above and below.
  package func picture() -> Picture {
    let scale = self.scale
    var rows: [(caption: String, panels: [Picture])] = []
    for channel in channels {
      let range = Self.range(of: channel.scan)
      var scan = SliceDrawing(
        channel.scan, window: channel.isCT ? Self.softTissue : channel.scan.percentileWindow(),
        scale: scale)
      scan.boxes = [(cropBox, Self.cropColor)]
      var prepared = SliceDrawing(
        channel.prepared, area: area, window: channel.prepared.percentileWindow(), scale: scale)
      prepared.boxes = windows.map { ($0, Self.windowColor) }
      rows.append(
        (
          "\(channel.name): \(Self.text(channel.scan.shape)) AT \(Self.text(channel.scan.spacing)) MM, "
            + "VALUES \(range), CROP BOX ORANGE",
          AnatomicalPlane.allCases.map { scan.picture($0, through: scanCenter) }
        ))
      rows.append(
        (
          "NETWORK: \(Self.text(area.map(\.count))) AT \(Self.text(channel.prepared.spacing)) MM, "
            + "VALUES \(Self.range(of: channel.prepared)), \(windows.count) "
            + (windows.count == 1 ? "WINDOW" : "WINDOWS") + " GREEN",
          AnatomicalPlane.allCases.map { prepared.picture($0, through: preparedCenter) }
        ))
    }
    return assembled(rows)
  }

  private func assembled(_ rows: [(caption: String, panels: [Picture])]) -> Picture {
    let (margin, line) = (Self.margin, Self.line)
    let heights = rows.map { row in row.panels.map(\.height).max() ?? 0 }
    let columns = (0..<3).map { column in rows.map { $0.panels[column].width }.max() ?? 0 }
    let texts = [title] + rows.map(\.caption)
    let textWidth = (texts.map(\.count).max() ?? 0) * 2 * PixelFont.advance
    var picture = Picture(
      width: margin + max(columns.reduce(0) { $0 + $1 + margin }, textWidth + margin),
      height: margin + 2 * line + heights.reduce(0) { $0 + $1 + margin + line })
    picture.write(title, x: margin, y: margin)
    var left = margin
    for (plane, width) in zip(AnatomicalPlane.allCases, columns) {
      picture.write(plane.name, x: left, y: margin + line, Picture.Color(gray: 150))
      left += width + margin
    }
    var top = margin + 2 * line
    for (row, height) in zip(rows, heights) {
      picture.write(row.caption, x: margin, y: top)
      left = margin
      for (panel, width) in zip(row.panels, columns) {
        picture.place(panel, x: left, y: top + line)
        left += width + margin
      }
      top += height + margin + line
    }
    return picture
  }

  /// The longest extent fills a panel. A 2-D image's slice is as thick as nnU-Net makes it, and must not
  /// shrink the rest to a line.
  private var scale: Double {
    var longest = 0.0
    for channel in channels {
      let sizes = channel.scan.shape + area.map(\.count)
      for (size, spacing) in zip(sizes, channel.scan.spacing + channel.prepared.spacing) {
        let extent = Double(size) * spacing
        if extent < 5_000 { longest = max(longest, extent) }
      }
    }
    return Double(Self.panel) / (longest > 0 ? longest : 1)
  }

  private var scanCenter: [Int] { cropBox.map { ($0.lowerBound + $0.upperBound - 1) / 2 } }

  /// The voxel of the prepared image that shows the scan's centre.
  private var preparedCenter: [Int] {
    guard let shape = channels.first?.prepared.shape else { return [0, 0, 0] }
    return (0..<3).map { axis in
      let source = transposeForward[axis]
      let (box, center) = (cropBox[source], scanCenter[source])
      let place =
        (Double(center - box.lowerBound) + 0.5) * Double(shape[axis]) / Double(max(box.count, 1))
      return min(max(Int(place), 0), max(shape[axis] - 1, 0))
    }
  }

  private static func text(_ sizes: [Int]) -> String {
    sizes.map(String.init).joined(separator: "×")
  }

  private static func text(_ spacing: [Double]) -> String {
    spacing.map { Decimals.text($0, places: 2) }.joined(separator: "×")
  }

  private static func range(of volume: OrientedVolume) -> String {
    var (low, high) = (Float.infinity, -Float.infinity)
    for value in volume.values where value.isFinite {
      low = min(low, value)
      high = max(high, value)
    }
    guard low <= high else { return "NOT FINITE" }
    return "\(Decimals.text(Double(low), places: 1)) TO \(Decimals.text(Double(high), places: 1))"
  }
}
