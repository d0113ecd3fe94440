// SPDX-License-Identifier: Apache-2.0
/// Voxels with all that is needed to draw them as a radiologist looks at them.
package struct OrientedVolume: Sendable {
  /// Voxels per array axis.
  package let shape: [Int]
  /// In mm, per array axis.
  package let spacing: [Double]
  /// For every array axis the direction in which it grows, as one of `RLAPSI`.
  package let directions: [Character]
  /// Whether the directions are known, not assumed: only then are letters drawn.
  package let isOriented: Bool
  /// The voxels, the last axis fastest.
  package let values: ArraySlice<Float>

  /// What a volume without directions is taken for: axes z, y, x of an array in LPS.
  package static let assumedDirections: [Character] = ["S", "P", "L"]

  /// Three axes each; `values` holds as many voxels as `shape` says.
  package init(
    shape: [Int], spacing: [Double], directions: [Character] = assumedDirections,
    isOriented: Bool, values: ArraySlice<Float>
  ) {
    precondition(shape.count == 3 && spacing.count == 3 && directions.count == 3)
    precondition(values.count == shape.reduce(1, *))
    self.shape = shape
    self.spacing = spacing
    self.directions = directions
    self.isOriented = isOriented
    self.values = values
  }

  /// How a plane's pixels walk over the array.
  struct Walk: Equatable {
    /// The array axis across the plane, down the screen, and from left to right.
    var normal: Int
    var down: Int
    var right: Int
    /// Whether the screen's direction is against the array's.
    var isDownFlipped: Bool
    var isRightFlipped: Bool
  }

  func walk(_ plane: AnatomicalPlane) -> Walk {
    func axis(_ letter: Character) -> Int {
      directions.firstIndex { $0 == letter || $0 == AnatomicalPlane.opposite(letter) } ?? 0
    }
    let down = axis(plane.towardsBottom)
    let right = axis(plane.towardsRight)
    return Walk(
      normal: 3 - down - right, down: down, right: right,
      isDownFlipped: directions[down] != plane.towardsBottom,
      isRightFlipped: directions[right] != plane.towardsRight)
  }

  /// The value at a place that may lie outside, where it is 0.
  func value(at place: [Int]) -> Float {
    var index = 0
    for axis in 0..<3 {
      guard (0..<shape[axis]).contains(place[axis]) else { return 0 }
      index = index * shape[axis] + place[axis]
    }
    return values[values.startIndex + index]
  }

  /// From the 1st to the 99th percentile of the finite values, or what there is where these are equal.
  package func percentileWindow() -> ClosedRange<Float> {
    // Every so many voxels are enough for a picture.
    let step = max(1, values.count / 200_000)
    let sample = stride(from: values.startIndex, to: values.endIndex, by: step)
      .map { values[$0] }.filter(\.isFinite).sorted()
    guard let first = sample.first, let last = sample.last else { return 0...1 }
    let low = sample[sample.count / 100]
    let high = sample[sample.count - 1 - sample.count / 100]
    if low < high { return low...high }
    return first < last ? first...last : first...first + 1
  }
}
