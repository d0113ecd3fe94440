// SPDX-License-Identifier: Apache-2.0
/// Resamples one channel: first the planes across `axis`, then along it.
///
/// The two steps are the whole of a separable 3-D spline, and nnU-Net's separate-z as well.
struct VolumeResampling: Sendable {
  /// Where values are cut to the range of the input: of the volume, of each plane, or nowhere.
  enum Clipping: Sendable { case volume, plane, none }

  let shape: [Int]
  let newShape: [Int]
  /// The axis that is resampled last.
  let axis: Int
  let order: Int
  let axisOrder: Int
  let clipping: Clipping
  let grid: AxisResampling.Grid
  let threads: Int

  /// Floats between the two steps.
  var scratchCount: Int {
    (0..<3).reduce(1) { $0 * ($1 == axis ? shape[$1] : newShape[$1]) }
  }

  /// Resamples `values` into `output`.
  func run(_ values: [Float], into output: UnsafeMutableBufferPointer<Float>) {
    let others = [0, 1, 2].filter { $0 != axis }
    let strides = [shape[1] * shape[2], shape[2], 1]
    let planes = shape[axis]
    let rows = AxisResampling(
      from: shape[others[0]], to: newShape[others[0]], order: order, grid: grid)
    let columns = AxisResampling(
      from: shape[others[1]], to: newShape[others[1]], order: order, grid: grid)
    let planeCount = rows.outputCount * columns.outputCount
    let range: ClosedRange<Double>? =
      clipping == .volume
      ? values.withUnsafeBufferPointer { Self.range($0) } : nil
    // In-plane results, [plane][row][column].
    let middle = Plane.buffer(planes * planeCount)
    defer { middle.deallocate() }
    nonisolated(unsafe) let planeResults = middle
    values.withUnsafeBufferPointer { input in
      nonisolated(unsafe) let input = input
      ParallelRanges(count: planes, threads: threads).run { work in
        let scratch = Plane.Scratch(rows: rows, columns: columns)
        defer { scratch.deallocate() }
        for plane in work {
          var smallest = Double.infinity
          var largest = -Double.infinity
          for row in 0..<rows.inputCount {
            let source = plane * strides[axis] + row * strides[others[0]]
            let target = (rows.padding + row) * columns.inputCount
            for column in 0..<columns.inputCount {
              let value = Double(input[source + column * strides[others[1]]])
              scratch.first[target + column] = value
              smallest = min(smallest, value)
              largest = max(largest, value)
            }
          }
          rows.run(scratch.first, lanes: columns.inputCount, into: scratch.second)
          // Columns become rows, so that lanes are contiguous again.
          for row in 0..<rows.outputCount {
            for column in 0..<columns.inputCount {
              scratch.third[(columns.padding + column) * rows.outputCount + row] =
                scratch.second[row * columns.inputCount + column]
            }
          }
          columns.run(scratch.third, lanes: rows.outputCount, into: scratch.fourth)
          let result = planeResults + plane * planeCount
          let clips = clipping == .plane && smallest <= largest
          for row in 0..<rows.outputCount {
            for column in 0..<columns.outputCount {
              var value = scratch.fourth[column * rows.outputCount + row]
              if clips { value = min(max(value, smallest), largest) }
              result[row * columns.outputCount + column] = Float(value)
            }
          }
        }
      }
    }
    along(middle, others: others, planeCount: planeCount, range: range, into: output)
  }

  /// The second step: along the axis, one row of lanes at a time.
  private func along(
    _ middle: UnsafeMutablePointer<Float>, others: [Int], planeCount: Int,
    range: ClosedRange<Double>?, into output: UnsafeMutableBufferPointer<Float>
  ) {
    let line = AxisResampling(from: shape[axis], to: newShape[axis], order: axisOrder, grid: grid)
    // Separate-z leaves an axis that keeps its size alone; a spline gives the same values back.
    let copies = clipping != .volume && line.inputCount == line.outputCount
    let rowCount = newShape[others[0]]
    let lanes = newShape[others[1]]
    let strides = [newShape[1] * newShape[2], newShape[2], 1]
    nonisolated(unsafe) let (middle, output) = (middle, output)
    ParallelRanges(count: rowCount, threads: threads).run { work in
      let columns = UnsafeMutablePointer<Double>.allocate(capacity: line.paddedCount * lanes)
      let results = UnsafeMutablePointer<Double>.allocate(capacity: line.outputCount * lanes)
      columns.initialize(repeating: 0, count: line.paddedCount * lanes)
      results.initialize(repeating: 0, count: line.outputCount * lanes)
      defer {
        columns.deallocate()
        results.deallocate()
      }
      for row in work {
        for plane in 0..<line.inputCount {
          let source = middle + plane * planeCount + row * lanes
          let target = columns + (line.padding + plane) * lanes
          for lane in 0..<lanes { target[lane] = Double(source[lane]) }
        }
        if copies {
          results.update(from: columns + line.padding * lanes, count: line.inputCount * lanes)
        } else {
          line.run(columns, lanes: lanes, into: results)
        }
        for plane in 0..<line.outputCount {
          let target = plane * strides[axis] + row * strides[others[0]]
          for lane in 0..<lanes {
            var value = results[plane * lanes + lane]
            if let range { value = min(max(value, range.lowerBound), range.upperBound) }
            output[target + lane * strides[others[1]]] = Float(value)
          }
        }
      }
    }
  }

  private static func range(_ values: UnsafeBufferPointer<Float>) -> ClosedRange<Double>? {
    var smallest = Float.infinity
    var largest = -Float.infinity
    for value in values {
      smallest = min(smallest, value)
      largest = max(largest, value)
    }
    return smallest <= largest ? Double(smallest)...Double(largest) : nil
  }
}

/// Memory for one plane at work; whoever makes it frees it.
private enum Plane {
  static func buffer(_ count: Int) -> UnsafeMutablePointer<Float> { .allocate(capacity: count) }

  struct Scratch {
    let first: UnsafeMutablePointer<Double>
    let second: UnsafeMutablePointer<Double>
    let third: UnsafeMutablePointer<Double>
    let fourth: UnsafeMutablePointer<Double>

    init(rows: AxisResampling, columns: AxisResampling) {
      func zeros(_ count: Int) -> UnsafeMutablePointer<Double> {
        let memory = UnsafeMutablePointer<Double>.allocate(capacity: count)
        memory.initialize(repeating: 0, count: count)
        return memory
      }
      first = zeros(rows.paddedCount * columns.inputCount)
      second = zeros(rows.outputCount * columns.inputCount)
      third = zeros(columns.paddedCount * rows.outputCount)
      fourth = zeros(columns.outputCount * rows.outputCount)
    }

    func deallocate() {
      first.deallocate()
      second.deallocate()
      third.deallocate()
      fourth.deallocate()
    }
  }
}
