// SPDX-License-Identifier: Apache-2.0
/// Draws one plane of a volume in millimetres to a given scale, with what lies over it.
package struct SliceDrawing {
  /// What is drawn.
  package let volume: OrientedVolume
  /// The part of the volume that is shown, in voxels; it may reach beyond the volume.
  package let area: [Range<Int>]
  /// The grey values: black at the lower bound, white at the upper one.
  package let window: ClosedRange<Float>
  /// Pixels per mm.
  package let scale: Double
  /// Outlined boxes, in voxels.
  package var boxes: [(range: [Range<Int>], color: Picture.Color)] = []
  /// The label of a voxel, of which boundaries are outlined; 0 is background.
  package var label: (([Int]) -> Int)?
  /// A voxel's share of a heat map, from 0 to 1; below 0.05 nothing is drawn.
  package var heat: (([Int]) -> Double)?

  package init(
    _ volume: OrientedVolume, area: [Range<Int>]? = nil, window: ClosedRange<Float>, scale: Double
  ) {
    self.volume = volume
    self.area = area ?? volume.shape.map { 0..<$0 }
    self.window = window
    self.scale = scale
  }

  /// Colours that neighbouring labels tell apart; they repeat.
  package static func color(ofLabel label: Int) -> Picture.Color {
    let colors: [Picture.Color] = [
      .init(230, 25, 75), .init(60, 180, 75), .init(67, 140, 255), .init(255, 225, 25),
      .init(245, 130, 48), .init(66, 212, 244), .init(240, 50, 230), .init(191, 239, 69),
      .init(250, 190, 212), .init(70, 153, 144), .init(220, 190, 255), .init(170, 110, 40),
    ]
    return colors[(max(label, 1) - 1) % colors.count]
  }

  /// From black over red and yellow to white.
  package static func heatColor(_ share: Double) -> Picture.Color {
    func channel(_ start: Double) -> UInt8 { UInt8(min(max((share - start) * 3, 0), 1) * 255) }
    return Picture.Color(channel(0), channel(1 / 3), channel(2 / 3))
  }

  /// The size of a plane's picture, in pixels.
  package func size(_ plane: AnatomicalPlane) -> (width: Int, height: Int) {
    let walk = volume.walk(plane)
    return (pixels(walk.right), pixels(walk.down))
  }

  private func pixels(_ axis: Int) -> Int {
    max(2, Int((Double(area[axis].count) * volume.spacing[axis] * scale).rounded()))
  }

  /// The plane through a voxel, with letters at its edges where directions are known.
  package func picture(_ plane: AnatomicalPlane, through center: [Int]) -> Picture {
    let walk = volume.walk(plane)
    let (width, height) = size(plane)
    var picture = Picture(width: width, height: height)
    let rows = places(walk.down, count: height, isFlipped: walk.isDownFlipped)
    let columns = places(walk.right, count: width, isFlipped: walk.isRightFlipped)
    var labels: [Int] = []
    var place = center
    for row in 0..<height {
      place[walk.down] = rows[row]
      for column in 0..<width {
        place[walk.right] = columns[column]
        picture[column, row] = color(at: place)
        if let label { labels.append(label(place)) }
      }
    }
    outlineLabels(labels, in: &picture)
    for box in boxes where box.range[walk.normal].contains(center[walk.normal]) {
      picture.outline(
        x: edge(box.range[walk.right], in: columns), y: edge(box.range[walk.down], in: rows),
        box.color)
    }
    if volume.isOriented { writeLetters(plane, in: &picture) }
    return picture
  }

  private func color(at place: [Int]) -> Picture.Color {
    let share =
      (volume.value(at: place) - window.lowerBound) / (window.upperBound - window.lowerBound)
    let gray = Picture.Color(gray: UInt8(min(max(share.isFinite ? share : 0, 0), 1) * 255))
    guard let heat else { return gray }
    let warmth = heat(place)
    return warmth >= 0.05
      ? Self.heatColor(warmth).over(gray, opacity: min(0.25 + warmth / 2, 0.75)) : gray
  }

  /// The voxel that every pixel along a screen axis shows.
  private func places(_ axis: Int, count: Int, isFlipped: Bool) -> [Int] {
    (0..<count).map { pixel in
      let at = isFlipped ? count - 1 - pixel : pixel
      return area[axis].lowerBound + at * area[axis].count / count
    }
  }

  /// The pixels that show voxels of a range.
  private func edge(_ range: Range<Int>, in places: [Int]) -> Range<Int> {
    guard let first = places.firstIndex(where: range.contains),
      let last = places.lastIndex(where: range.contains)
    else { return 0..<0 }
    return first..<last + 1
  }

  private func outlineLabels(_ labels: [Int], in picture: inout Picture) {
    guard !labels.isEmpty else { return }
    let width = picture.width
    for row in 0..<picture.height {
      for column in 0..<width {
        let label = labels[row * width + column]
        guard label > 0 else { continue }
        let isEdge = [(-1, 0), (1, 0), (0, -1), (0, 1)].contains { step in
          let (x, y) = (column + step.0, row + step.1)
          guard (0..<width).contains(x), (0..<picture.height).contains(y) else { return true }
          return labels[y * width + x] != label
        }
        if isEdge { picture[column, row] = Self.color(ofLabel: label) }
      }
    }
  }

  private func writeLetters(_ plane: AnatomicalPlane, in picture: inout Picture) {
    let color = Picture.Color(120, 200, 255)
    let (width, height) = (2 * PixelFont.width, 2 * PixelFont.height)
    let (middleX, middleY) = ((picture.width - width) / 2, (picture.height - height) / 2)
    let (right, bottom) = (plane.towardsRight, plane.towardsBottom)
    let letters: [(Character, Int, Int)] = [
      (AnatomicalPlane.opposite(right), 2, middleY),
      (right, picture.width - width - 2, middleY),
      (AnatomicalPlane.opposite(bottom), middleX, 2),
      (bottom, middleX, picture.height - height - 2),
    ]
    for (letter, x, y) in letters { picture.write(String(letter), x: x, y: y, color) }
  }
}
