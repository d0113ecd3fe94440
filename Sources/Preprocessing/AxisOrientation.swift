/// Which way an image's axes point: nibabel's `io_orientation`.
struct AxisOrientation: Equatable {
  /// For right, anterior and superior: the image axis (0 is x) that runs along it.
  let axes: [Int]
  /// For right, anterior and superior: whether that axis runs against it.
  let isFlipped: [Bool]
  /// For every image axis: the cosine of its angle to the direction it stands for.
  let alignment: [Double]

  /// Whether x, y and z are right, anterior and superior already.
  var isCanonical: Bool { axes == [0, 1, 2] && isFlipped == [false, false, false] }

  /// Reads the orientation off the 3×3 part of an affine, row by row.
  init(affine: [[Double]]) {
    let lengths = (0..<3).map { column in
      affine.reduce(0) { $0 + $1[column] * $1[column] }.squareRoot()
    }
    let cosines = affine.map { row in
      (0..<3).map { lengths[$0] > 0 ? row[$0] / lengths[$0] : 0 }
    }
    var rotation = Self.nearestRotation(to: cosines)
    // The axes that are clearest choose first.
    let order = (0..<3).sorted { first, second in
      let strengths = [first, second].map { column in rotation.map { abs($0[column]) }.max() ?? 0 }
      return strengths[0] == strengths[1] ? first < second : strengths[0] > strengths[1]
    }
    var axes = [0, 1, 2]
    var isFlipped = [false, false, false]
    var alignment = [1.0, 1.0, 1.0]
    var free: Set<Int> = [0, 1, 2]
    for column in order {
      let direction =
        free.sorted().max { abs(rotation[$0][column]) < abs(rotation[$1][column]) } ?? 0
      axes[direction] = column
      isFlipped[direction] = rotation[direction][column] < 0
      alignment[column] = abs(cosines[direction][column])
      free.remove(direction)
      rotation[direction] = [0, 0, 0]
    }
    self.axes = axes
    self.isFlipped = isFlipped
    self.alignment = alignment
  }

  /// The orthogonal factor of a polar decomposition, by Newton's iteration X ← (X + X⁻ᵀ) / 2; what is
  /// singular stays as it is.
  private static func nearestRotation(to matrix: [[Double]]) -> [[Double]] {
    var current = matrix
    for _ in 0..<32 {
      let cofactors = (0..<3).map { row in
        (0..<3).map { column in
          let (r1, r2) = ((row + 1) % 3, (row + 2) % 3)
          let (c1, c2) = ((column + 1) % 3, (column + 2) % 3)
          return current[r1][c1] * current[r2][c2] - current[r1][c2] * current[r2][c1]
        }
      }
      let determinant = (0..<3).reduce(0.0) { $0 + current[0][$1] * cofactors[0][$1] }
      guard determinant.isFinite, abs(determinant) > 1e-9 else { return matrix }
      for row in 0..<3 {
        for column in 0..<3 {
          current[row][column] = (current[row][column] + cofactors[row][column] / determinant) / 2
        }
      }
    }
    return current
  }

  /// Turns an image whose axes point this way to RAS.
  ///
  /// - Parameters:
  ///   - values: the voxels, x fastest.
  ///   - sizes: `[x, y, z]`.
  func turned(_ values: [Float], sizes: [Int]) -> [Float] {
    guard !isCanonical else { return values }
    let strides = [1, sizes[0], sizes[0] * sizes[1]]
    let counts = axes.map { sizes[$0] }
    let steps = (0..<3).map { isFlipped[$0] ? -strides[axes[$0]] : strides[axes[$0]] }
    let start = (0..<3).reduce(0) {
      $0 + (isFlipped[$1] ? (counts[$1] - 1) * strides[axes[$1]] : 0)
    }
    return [Float](unsafeUninitializedCapacity: values.count) { output, initialized in
      for z in 0..<counts[2] {
        for y in 0..<counts[1] {
          let source = start + z * steps[2] + y * steps[1]
          let target = (z * counts[1] + y) * counts[0]
          for x in 0..<counts[0] { output[target + x] = values[source + x * steps[0]] }
        }
      }
      initialized = values.count
    }
  }
}
