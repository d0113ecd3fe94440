// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// An 8-bit RGB picture to draw on, black at first.
package struct Picture: Sendable {
  /// Red, green and blue, 0 to 255.
  package struct Color: Sendable, Equatable {
    package var red: UInt8
    package var green: UInt8
    package var blue: UInt8

    package init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
      self.red = red
      self.green = green
      self.blue = blue
    }

    package init(gray: UInt8) { self.init(gray, gray, gray) }

    /// This colour over another one, `opacity` from 0 to 1.
    package func over(_ other: Color, opacity: Double) -> Color {
      func mixed(_ above: UInt8, _ below: UInt8) -> UInt8 {
        UInt8((Double(above) * opacity + Double(below) * (1 - opacity)).rounded())
      }
      return Color(
        mixed(red, other.red), mixed(green, other.green), mixed(blue, other.blue))
    }
  }

  package let width: Int
  package let height: Int
  /// Red, green and blue of every pixel, row by row.
  private(set) var bytes: [UInt8]

  package init(width: Int, height: Int) {
    self.width = width
    self.height = height
    bytes = [UInt8](repeating: 0, count: 3 * width * height)
  }

  /// A pixel; places outside read as black, and writing there does nothing.
  package subscript(x: Int, y: Int) -> Color {
    get {
      guard (0..<width).contains(x), (0..<height).contains(y) else { return Color(gray: 0) }
      let at = 3 * (y * width + x)
      return Color(bytes[at], bytes[at + 1], bytes[at + 2])
    }
    set {
      guard (0..<width).contains(x), (0..<height).contains(y) else { return }
      let at = 3 * (y * width + x)
      (bytes[at], bytes[at + 1], bytes[at + 2]) = (newValue.red, newValue.green, newValue.blue)
    }
  }

  /// Fills a rectangle.
  package mutating func fill(x: Range<Int>, y: Range<Int>, _ color: Color) {
    for row in y { for column in x { self[column, row] = color } }
  }

  /// Draws the outline of a rectangle, one pixel wide, inside it.
  package mutating func outline(x: Range<Int>, y: Range<Int>, _ color: Color) {
    guard let left = x.first, let right = x.last, let top = y.first, let bottom = y.last else {
      return
    }
    for column in x { (self[column, top], self[column, bottom]) = (color, color) }
    for row in y { (self[left, row], self[right, row]) = (color, color) }
  }

  /// Writes a line of text, its upper left corner at (`x`, `y`), every dot `scale` pixels wide.
  package mutating func write(
    _ text: String, x: Int, y: Int, scale: Int = 2, _ color: Color = Color(gray: 220)
  ) {
    for (index, character) in text.enumerated() {
      let left = x + index * PixelFont.advance * scale
      for (row, bits) in PixelFont.rows(of: character).enumerated() {
        for column in 0..<PixelFont.width where bits >> (PixelFont.width - 1 - column) & 1 == 1 {
          let (dotX, dotY) = (left + column * scale, y + row * scale)
          fill(x: dotX..<dotX + scale, y: dotY..<dotY + scale, color)
        }
      }
    }
  }

  /// Copies another picture, its upper left corner to (`x`, `y`).
  package mutating func place(_ other: Picture, x: Int, y: Int) {
    for row in 0..<other.height {
      for column in 0..<other.width { self[x + column, y + row] = other[column, row] }
    }
  }

  /// Writes the picture as a PNG file, replacing what is there.
  package func write(
    to path: String, inputs: [MappedFile.Identity]
  ) throws(FileError) {
    var file = try AtomicFile(path: path, replacing: true, inputs: inputs)
    try file.write(png())
    try file.commit()
  }
}
