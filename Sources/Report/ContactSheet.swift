// SPDX-License-Identifier: Apache-2.0
/// Small pictures of many cases side by side, each with its name.
package struct ContactSheet {
  private var entries: [(name: String, picture: Picture)] = []
  private static let thumbnail = 192
  private static let margin = 12
  private static let line = 20
  private static let columns = 6
  /// More would be a picture that no program opens.
  private static let countLimit = 300

  package init() {}

  package var isEmpty: Bool { entries.isEmpty }
  package var count: Int { entries.count }
  /// Whether others are left out.
  package private(set) var isFull = false

  /// Adds the axial plane through a volume's centre, up to the most that a page shows.
  package mutating func add(_ name: String, _ volume: OrientedVolume, isCT: Bool) {
    guard entries.count < Self.countLimit else {
      isFull = true
      return
    }
    let picture = volume.thumbnail(side: Self.thumbnail, isCT: isCT, hasLetters: true)
    // A name that is too long keeps its end, which tells cases apart.
    let fitting = Self.thumbnail / (2 * PixelFont.advance)
    entries.append((String(name.suffix(fitting)), picture))
  }

  /// All entries, row by row in the order in which they came.
  package func picture() -> Picture {
    let (margin, line) = (Self.margin, Self.line)
    let columns = min(Self.columns, max(entries.count, 1))
    let rows = (entries.count + columns - 1) / columns
    let (width, height) = (Self.thumbnail + margin, Self.thumbnail + line + margin)
    var sheet = Picture(width: margin + columns * width, height: margin + rows * height)
    for (index, entry) in entries.enumerated() {
      let (x, y) = (margin + index % columns * width, margin + index / columns * height)
      sheet.write(entry.name, x: x, y: y)
      sheet.place(
        entry.picture, x: x + (Self.thumbnail - entry.picture.width) / 2,
        y: y + line + (Self.thumbnail - entry.picture.height) / 2)
    }
    return sheet
  }
}
