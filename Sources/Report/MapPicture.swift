// SPDX-License-Identifier: Apache-2.0
/// A scan with a class activation map over it: where a classifier looked.
package struct MapPicture {
  private let volume: OrientedVolume
  private let window: ClosedRange<Float>
  private let map: [Float]
  /// The map's values that are shown as cold and as hot.
  private let cold: Float
  private let hot: Float
  private let box: [Range<Int>]
  private let hottest: [Int]

  private static let panel = 320
  private static let margin = 16
  private static let line = 20

  /// - Parameters:
  ///   - map: as many values as the volume has voxels; the upper quarter of those in `box` is warm.
  ///   - box: where the map holds something, `[z, y, x]`.
  ///   - isCT: whether the scan is shown in a soft-tissue window.
  package init(_ volume: OrientedVolume, map: [Float], box: [Range<Int>], isCT: Bool) {
    precondition(map.count == volume.values.count)
    self.volume = volume
    self.map = map
    self.box = box
    window = isCT ? -160...240 : volume.percentileWindow()
    // Every so many voxels are enough to scale a picture.
    let step = max(1, box.reduce(1) { $0 * $1.count } / 200_000)
    var sample: [Float] = []
    var warmest = (index: 0, value: -Float.infinity)
    for z in box[0] {
      for y in box[1] {
        for x in box[2] {
          let index = (z * volume.shape[1] + y) * volume.shape[2] + x
          if map[index] > warmest.value { warmest = (index, map[index]) }
          if index % step == 0 { sample.append(map[index]) }
        }
      }
    }
    sample.sort()
    cold = sample.isEmpty ? 0 : sample[sample.count * 3 / 4]
    hot = sample.isEmpty ? 1 : sample[sample.count - 1 - sample.count / 200]
    let (height, width) = (volume.shape[1], volume.shape[2])
    hottest = [
      warmest.index / (height * width), warmest.index / width % height, warmest.index % width,
    ]
  }

  /// The three planes through the hottest voxel, under a line of text.
  package func picture(title: String) -> Picture {
    let center = hottest
    let drawing = drawing(volume, side: Self.panel)
    let panels = AnatomicalPlane.allCases.map { drawing.picture($0, through: center) }
    let (margin, line) = (Self.margin, Self.line)
    let width = max(
      panels.reduce(margin) { $0 + $1.width + margin },
      2 * margin + title.count * 2 * PixelFont.advance)
    var picture = Picture(
      width: width, height: 2 * margin + line + (panels.map(\.height).max() ?? 0))
    picture.write(title, x: margin, y: margin)
    var left = margin
    for panel in panels {
      picture.place(panel, x: left, y: margin + line)
      left += panel.width + margin
    }
    return picture
  }

  /// The axial plane through the hottest voxel, at most so many pixels wide and high.
  package func thumbnail(side: Int) -> Picture {
    drawing(volume.withoutLetters, side: side).picture(.axial, through: hottest)
  }

  private func drawing(_ volume: OrientedVolume, side: Int) -> SliceDrawing {
    var drawing = SliceDrawing(volume, window: window, scale: volume.scale(side: side))
    let (shape, box, map, cold) = (volume.shape, box, map, cold)
    let span = max(hot - cold, .leastNormalMagnitude)
    drawing.heat = { place in
      guard zip(place, box).allSatisfy({ $1.contains($0) }) else { return 0 }
      let value = map[(place[0] * shape[1] + place[1]) * shape[2] + place[2]]
      return Double(min(max((value - cold) / span, 0), 1))
    }
    return drawing
  }
}

extension OrientedVolume {
  /// The axial plane through the centre, at most so many pixels wide and high.
  package func thumbnail(side: Int, isCT: Bool, hasLetters: Bool = false) -> Picture {
    SliceDrawing(
      hasLetters ? self : withoutLetters, window: isCT ? -160...240 : percentileWindow(),
      scale: scale(side: side)
    ).picture(.axial, through: shape.map { $0 / 2 })
  }

  /// The same where letters at the edges would hide the picture.
  fileprivate var withoutLetters: OrientedVolume {
    OrientedVolume(
      shape: shape, spacing: spacing, directions: directions, isOriented: false, values: values)
  }

  /// Pixels per mm so that the longest extent has so many. A 2-D image's slice is as thick as nnU-Net
  /// makes it, and does not count.
  func scale(side: Int) -> Double {
    let longest = zip(shape, spacing).map { Double($0) * $1 }.filter { $0 < 5_000 }.max()
    return Double(side) / (longest ?? 1)
  }
}
