import FileIO
import Preprocessing

/// Three orthogonal slices of a scan with its crop box, and of what the network sees of it, in
/// millimetres to one scale: so that a person sees whether orientation, spacing and normalisation are
/// right.
struct PreviewPicture {
  /// The first channel as it was read.
  let scan: Volume
  let image: PreparedImage
  let framing: InputFraming
  let transposeForward: [Int]
  let title: String

  private static let panelSize = 256
  private static let margin = 12
  private static let lineHeight = 12

  /// A volume as it is drawn: axes after `transpose_forward`.
  private struct View {
    let shape: [Int]
    let spacing: [Double]
    /// Floats from a voxel to the next, per axis.
    let steps: [Int]
    let values: ArraySlice<Float>
    /// What is outlined, in voxels.
    let box: [Range<Int>]
    /// What is drawn, in voxels; it may reach beyond the volume.
    let area: [Range<Int>]

    func value(_ place: [Int]) -> Float {
      for axis in 0..<3 where !(0..<shape[axis]).contains(place[axis]) { return 0 }
      return values[values.startIndex + (0..<3).reduce(0) { $0 + place[$1] * steps[$1] }]
    }

    var center: [Int] { area.map { ($0.lowerBound + $0.upperBound) / 2 } }
  }

  func write(to path: String, inputs: [MappedFile.Identity]) throws {
    let views = [scanView, networkView]
    let extents = views.flatMap { view in zip(view.area, view.spacing).map { Double($0.count) * $1 }
    }
    // A 2-D image's slice is as thick as nnU-Net makes it; it must not shrink the rest to a line.
    let sensible = extents.filter { $0 < 5_000 }
    let scale = Double(Self.panelSize) / (sensible.max() ?? 1)
    let cell = Self.panelSize + Self.margin
    let top = Self.margin + 2 * Self.lineHeight
    let rowHeight = cell + 2 * Self.lineHeight
    var picture = PNGImage(width: Self.margin + 3 * cell, height: top + 2 * rowHeight)
    write("\(title) - Z Y X AFTER TRANSPOSE", x: Self.margin, y: Self.margin, to: &picture)
    for (row, view) in views.enumerated() {
      let y = top + row * rowHeight
      write(caption(of: view, isScan: row == 0), x: Self.margin, y: y, to: &picture)
      for normal in 0..<3 {
        draw(
          view, normal: normal, scale: scale, x: Self.margin + normal * cell,
          y: y + Self.lineHeight, to: &picture)
      }
    }
    try picture.write(to: path, inputs: inputs)
  }

  private func caption(of view: View, isScan: Bool) -> String {
    let sizes = (isScan ? view.shape : view.area.map(\.count)).map(String.init)
      .joined(separator: "×")
    let spacing = view.spacing.map { Decimals.text($0, places: 2) }.joined(separator: "×")
    guard isScan else { return "NETWORK SEES \(sizes) AT \(spacing) MM" }
    let box = image.geometry.cropBox.map { "\($0.lowerBound)-\($0.upperBound)" }
      .joined(separator: " ")
    return "SCAN \(sizes) AT \(spacing) MM, CROP BOX \(box)"
  }

  // MARK: - Volumes

  private var scanView: View {
    let strides = [scan.shape[1] * scan.shape[2], scan.shape[2], 1]
    let shape = image.geometry.originalShape
    return View(
      shape: shape, spacing: image.geometry.originalSpacing,
      steps: transposeForward.map { strides[$0] }, values: scan.values[...],
      box: image.geometry.cropBox, area: shape.map { 0..<$0 })
  }

  /// The first channel of the prepared image, as far as windows reach.
  private var networkView: View {
    let shape = Array(image.shape.dropFirst())
    let area = framing.area
    return View(
      shape: shape, spacing: image.geometry.spacing,
      steps: [shape[1] * shape[2], shape[2], 1],
      values: image.values[..<shape.reduce(1, *)], box: area, area: area)
  }

  // MARK: - Drawing

  /// Draws the slice through the middle whose normal is an axis: the next axis down, the last across.
  private func draw(
    _ view: View, normal: Int, scale: Double, x: Int, y: Int, to picture: inout PNGImage
  ) {
    let axes = (0..<3).filter { $0 != normal }
    let sizes = axes.map { axis in
      let millimetres = Double(view.area[axis].count) * view.spacing[axis]
      return max(2, min(Self.panelSize, Int(millimetres * scale)))
    }
    var values = [Float](repeating: 0, count: sizes[0] * sizes[1])
    var place = view.center
    for row in 0..<sizes[0] {
      place[axes[0]] = Self.voxel(row, of: sizes[0], in: view.area[axes[0]])
      for column in 0..<sizes[1] {
        place[axes[1]] = Self.voxel(column, of: sizes[1], in: view.area[axes[1]])
        values[row * sizes[1] + column] = view.value(place)
      }
    }
    let window = Self.grayWindow(values)
    for row in 0..<sizes[0] {
      for column in 0..<sizes[1] {
        let share = (values[row * sizes[1] + column] - window.low) / (window.high - window.low)
        let gray = UInt8(min(max(share.isFinite ? share : 0, 0), 1) * 255)
        picture.set(x: x + column, y: y + row, (gray, gray, gray))
      }
    }
    let edges = axes.indices.map { index in
      [view.box[axes[index]].lowerBound, view.box[axes[index]].upperBound].map { edge in
        (edge - view.area[axes[index]].lowerBound) * (sizes[index] - 1)
          / view.area[axes[index]].count
      }
    }
    let color: (UInt8, UInt8, UInt8) = (255, 160, 0)
    for row in edges[0][0]...edges[0][1] {
      for column in edges[1] { picture.set(x: x + column, y: y + row, color) }
    }
    for column in edges[1][0]...edges[1][1] {
      for row in edges[0] { picture.set(x: x + column, y: y + row, color) }
    }
  }

  private static func voxel(_ pixel: Int, of pixels: Int, in range: Range<Int>) -> Int {
    range.lowerBound + pixel * range.count / pixels
  }

  /// From the 1st to the 99th percentile of what is shown.
  private static func grayWindow(_ values: [Float]) -> (low: Float, high: Float) {
    let sorted = values.filter(\.isFinite).sorted()
    guard let first = sorted.first, let last = sorted.last else { return (0, 1) }
    let low = sorted[sorted.count / 100]
    let high = sorted[sorted.count - 1 - sorted.count / 100]
    return low < high ? (low, high) : (first, last > first ? last : first + 1)
  }

  private func write(_ text: String, x: Int, y: Int, to picture: inout PNGImage) {
    for (index, character) in text.enumerated() {
      for (row, bits) in PixelFont.rows(of: character).enumerated() {
        for column in 0..<PixelFont.width where bits >> (PixelFont.width - 1 - column) & 1 == 1 {
          picture.set(
            x: x + index * (PixelFont.width + 1) + column, y: y + row, (220, 220, 220))
        }
      }
    }
  }
}
