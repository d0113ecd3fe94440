// SPDX-License-Identifier: Apache-2.0
/// Swaps and flips the axes of an image.
package struct AxisTurning: Sendable, Equatable {
  /// For x, y and z of the result: the axis of the image that becomes it.
  package let sources: [Int]
  /// For x, y and z of the result: whether it runs backwards.
  package let isFlipped: [Bool]

  static let none = AxisTurning(sources: [0, 1, 2], isFlipped: [false, false, false])

  /// Whether anything changes.
  package var isNone: Bool { self == .none }

  /// What undoes it.
  package var inverse: AxisTurning {
    let sources = (0..<3).map { axis in self.sources.firstIndex(of: axis) ?? 0 }
    return AxisTurning(sources: sources, isFlipped: sources.map { isFlipped[$0] })
  }

  /// The affine of a turned image.
  ///
  /// - Parameter sizes: `[x, y, z]` before.
  func turned(_ affine: Affine, sizes: [Int]) -> Affine {
    var matrix = affine.matrix
    var offset = affine.offset
    for axis in 0..<3 {
      let column = affine.matrix.column(sources[axis])
      for row in 0..<3 {
        matrix[row, axis] = isFlipped[axis] ? -column[row] : column[row]
        if isFlipped[axis] { offset[row] += column[row] * Double(sizes[sources[axis]] - 1) }
      }
    }
    return Affine(matrix: matrix, offset: offset)
  }

  /// Turns voxels, x fastest.
  ///
  /// - Parameter sizes: `[x, y, z]` before.
  func turned(_ values: [Float], sizes: [Int]) -> [Float] {
    guard !isNone else { return values }
    return [Float](unsafeUninitializedCapacity: values.count) { output, initialized in
      turn(values, sizes: sizes, into: output) { $0 }
      initialized = values.count
    }
  }

  /// Turns voxels into memory for as many, as numbers of another type.
  @inline(__always)
  func turn<Value, Stored: BitwiseCopyable>(
    _ values: [Value], sizes: [Int], into output: UnsafeMutableBufferPointer<Stored>,
    _ stored: (Value) -> Stored
  ) {
    let strides = [1, sizes[0], sizes[0] * sizes[1]]
    let counts = sources.map { sizes[$0] }
    let steps = (0..<3).map { isFlipped[$0] ? -strides[sources[$0]] : strides[sources[$0]] }
    let start = (0..<3).reduce(0) {
      $0 + (isFlipped[$1] ? (counts[$1] - 1) * strides[sources[$1]] : 0)
    }
    values.withUnsafeBufferPointer { values in
      for z in 0..<counts[2] {
        for y in 0..<counts[1] {
          let source = start + z * steps[2] + y * steps[1]
          let target = (z * counts[1] + y) * counts[0]
          let step = steps[0]
          for x in 0..<counts[0] { output[target + x] = stored(values[source + x * step]) }
        }
      }
    }
  }
}
