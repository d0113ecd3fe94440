// SPDX-License-Identifier: Apache-2.0
/// Memory that instructions share: known by its number until a layout says where it lies.
struct Buffer: Sendable, Hashable {
  let index: Int
  /// In floats; of one case.
  let count: Int
  /// Floats from one case's part to the next one's; 0 where there is one case, or all share it.
  var caseStep = 0
}

/// The buffers of a program.
struct Buffers: Sendable {
  /// Cases that run together.
  let cases: Int
  /// In floats, of all buffers in the order of their numbers.
  private(set) var counts: [Int] = []
  /// Buffers whose values are written once and stay as long as the memory; others hold nothing before
  /// an instruction writes them.
  private(set) var constants: [(buffer: Buffer, values: [Float])] = []

  init(cases: Int = 1) {
    self.cases = cases
  }

  /// A buffer with a part for every case.
  mutating func reserve(_ floats: Int) -> Buffer {
    guard cases > 1 else { return reserveShared(floats) }
    // Whole cache lines, and whole vectors of every instruction set.
    let step = (max(floats, 1) + 63) / 64 * 64
    counts.append(cases * step)
    return Buffer(index: counts.count - 1, count: max(floats, 1), caseStep: step)
  }

  /// A buffer that all cases share.
  mutating func reserveShared(_ floats: Int) -> Buffer {
    counts.append(max(floats, 1))
    return Buffer(index: counts.count - 1, count: max(floats, 1))
  }

  mutating func constant(_ values: [Float]) -> Buffer {
    let buffer = reserve(values.count)
    constants.append((buffer, values))
    return buffer
  }

  /// A buffer for an activation.
  mutating func activation(channels: Int, extent: Extent3, slackSlices: Int = 0) -> Activation {
    let count = Activation.floatCount(
      channels: channels, extent: extent, slackSlices: slackSlices)
    return Activation(
      reserve(count), channels: channels, extent: extent, slackSlices: slackSlices)
  }
}
