// SPDX-License-Identifier: Apache-2.0
package import SWTFormat

/// Which way the axes of an image run: for x, y and z one of right, left, anterior, posterior, superior
/// and inferior. Its text is nibabel's `aff2axcodes`: "LPS" where x runs to the left.
package struct ScanOrientation: Sendable, Equatable, Hashable, CustomStringConvertible {
  /// For x, y and z: 0 for right–left, 1 for anterior–posterior, 2 for superior–inferior.
  let directions: [Int]
  /// For x, y and z: whether the axis runs to left, posterior or inferior.
  let isNegative: [Bool]

  private static let letters: [[Character]] = [["R", "L"], ["A", "P"], ["S", "I"]]

  /// Right, anterior, superior.
  package static let ras = ScanOrientation(
    directions: [0, 1, 2], isNegative: [false, false, false])

  private init(directions: [Int], isNegative: [Bool]) {
    self.directions = directions
    self.isNegative = isNegative
  }

  /// Three letters, one of R and L, one of A and P and one of S and I, in any order; `nil` otherwise.
  package init?(_ text: String) {
    var directions: [Int] = []
    var isNegative: [Bool] = []
    for letter in text.uppercased() {
      guard let direction = Self.letters.firstIndex(where: { $0.contains(letter) }) else {
        return nil
      }
      directions.append(direction)
      isNegative.append(Self.letters[direction][1] == letter)
    }
    guard directions.sorted() == [0, 1, 2] else { return nil }
    self.init(directions: directions, isNegative: isNegative)
  }

  package var description: String { String(letters) }

  /// For x, y and z: the letter of where the axis runs.
  package var letters: [Character] {
    zip(directions, isNegative).map { Self.letters[$0][$1 ? 1 : 0] }
  }

  /// As nibabel's `io_orientation` tells it; `nil` where an affine gives none.
  package init?(affine: Matrix3) {
    guard affine.isFinite, var rotation = affine.normalized.nearestOrthogonal else { return nil }
    var directions = [0, 0, 0]
    var isNegative = [false, false, false]
    // The axes that are clearest choose first.
    let strengths = (0..<3).map { column in rotation.column(column).map { $0 * $0 }.max() ?? 0 }
    let order = (0..<3).sorted {
      strengths[$0] == strengths[$1] ? $0 < $1 : strengths[$0] > strengths[$1]
    }
    for column in order {
      var chosen = 0
      for row in 1..<3 where abs(rotation[row, column]) > abs(rotation[chosen, column]) {
        chosen = row
      }
      directions[column] = chosen
      isNegative[column] = rotation[chosen, column] < 0
      for other in 0..<3 { rotation[chosen, other] = 0 }
    }
    guard directions.sorted() == [0, 1, 2] else { return nil }
    self.init(directions: directions, isNegative: isNegative)
  }

  /// As SimpleITK's `DICOMOrient` tells it: the largest cosine of those left chooses.
  init?(directionCosines cosines: Matrix3) {
    guard cosines.isFinite else { return nil }
    var directions = [0, 0, 0]
    var isNegative = [false, false, false]
    var (rows, columns): (Set<Int>, Set<Int>) = ([0, 1, 2], [0, 1, 2])
    while !columns.isEmpty {
      var chosen = (row: 0, column: 0, strength: -1.0)
      for row in rows.sorted() {
        // Of equals, the last counts.
        for column in columns.sorted() where abs(cosines[row, column]) >= chosen.strength {
          chosen = (row, column, abs(cosines[row, column]))
        }
      }
      directions[chosen.column] = chosen.row
      isNegative[chosen.column] = cosines[chosen.row, chosen.column] < 0
      rows.remove(chosen.row)
      columns.remove(chosen.column)
    }
    self.init(directions: directions, isNegative: isNegative)
  }

  /// How an image that lies this way lies after turning.
  func turned(by turning: AxisTurning) -> ScanOrientation {
    ScanOrientation(
      directions: turning.sources.map { directions[$0] },
      isNegative: (0..<3).map { isNegative[turning.sources[$0]] != turning.isFlipped[$0] })
  }

  /// What brings an image that lies this way into another orientation.
  package func turning(to other: ScanOrientation) -> AxisTurning {
    let sources = other.directions.map { directions.firstIndex(of: $0) ?? 0 }
    return AxisTurning(
      sources: sources,
      isFlipped: (0..<3).map { other.isNegative[$0] != isNegative[sources[$0]] })
  }
}

extension PreprocessingDescription {
  /// How training scans lie, where the model says.
  package var trainedOrientation: ScanOrientation? { orientation.flatMap { ScanOrientation($0) } }
}
