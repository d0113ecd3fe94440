// SPDX-License-Identifier: Apache-2.0
/// How long buffers are needed: from the first instruction that uses one to the last.
enum Lifetimes {
  /// Of every buffer the instructions from its first use to its last, or to the end for what is `kept`;
  /// `nil` for constants, and for what no instruction names.
  static func of(
    _ buffers: Buffers, in instructions: [any Instruction], kept: [Buffer]
  ) -> [ClosedRange<Int>?] {
    var result = [ClosedRange<Int>?](repeating: nil, count: buffers.counts.count)
    for (index, instruction) in instructions.enumerated() {
      for buffer in instruction.buffers {
        result[buffer.index] = (result[buffer.index]?.lowerBound ?? index)...index
      }
    }
    for buffer in kept {
      result[buffer.index] = result[buffer.index].map { $0.lowerBound...instructions.count }
    }
    for constant in buffers.constants { result[constant.buffer.index] = nil }
    return result
  }
}
