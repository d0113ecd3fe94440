// SPDX-License-Identifier: Apache-2.0
/// Transposes a channel and cuts the nonzero region out of it, in one pass.
struct ChannelCut: Sendable {
  /// Of the channel as it was read, `[z, y, x]`.
  let shape: [Int]
  /// `transpose_forward`.
  let order: [Int]
  /// The region, after transposing.
  let box: [Range<Int>]
  let threads: Int

  func run(_ values: [Float]) -> [Float] {
    let sizes = box.map(\.count)
    guard order != [0, 1, 2] || sizes != shape else { return values }
    let strides = [shape[1] * shape[2], shape[2], 1]
    let steps = order.map { strides[$0] }
    let start = (0..<3).reduce(0) { $0 + box[$1].lowerBound * steps[$1] }
    return [Float](unsafeUninitializedCapacity: sizes.reduce(1, *)) { output, initialized in
      initialized = output.count
      nonisolated(unsafe) let output = output
      values.withUnsafeBufferPointer { values in
        nonisolated(unsafe) let values = values
        ParallelRanges(count: sizes[0], threads: threads).run { slices in
          for z in slices {
            for y in 0..<sizes[1] {
              let source = start + z * steps[0] + y * steps[1]
              let target = (z * sizes[1] + y) * sizes[2]
              for x in 0..<sizes[2] { output[target + x] = values[source + x * steps[2]] }
            }
          }
        }
      }
    }
  }
}
