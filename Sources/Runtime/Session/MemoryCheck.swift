// SPDX-License-Identifier: Apache-2.0
/// Finds what reads memory that holds nothing, and what writes where it may not: between their lifetimes
/// buffers are full of NaN, and words behind every buffer must keep their value.
struct MemoryCheck {
  private static let guardValue = Float(bitPattern: 0x7FBA_DBAD)

  private(set) var faults: [String] = []

  private let program: Program
  private let memory: Memory
  private let guardCount: Int
  /// Of every instruction the buffers whose last use it is.
  private var ending: [[Buffer]]
  private let changing: [Buffer]
  private let all: [Buffer]

  init(_ program: Program, layout: BufferLayout, memory: Memory) {
    self.program = program
    self.memory = memory
    guardCount = layout.guardCount
    all = program.buffers.counts.enumerated().map { Buffer(index: $0, count: $1) }
    changing = all.filter { program.lifetimes[$0.index] != nil }
    ending = [[Buffer]](repeating: [], count: program.instructions.count)
    for buffer in changing {
      guard let last = program.lifetimes[buffer.index]?.upperBound, last < ending.count else {
        continue
      }
      ending[last].append(buffer)
    }
    for buffer in all { guards(of: buffer).update(repeating: Self.guardValue, count: guardCount) }
  }

  /// What lies behind a buffer, whose size the layout rounds up.
  private func guards(of buffer: Buffer) -> UnsafeMutablePointer<Float> {
    memory[buffer] + (buffer.count + guardCount - 1) / guardCount * guardCount
  }

  /// Before a run nothing holds anything.
  mutating func start() {
    faults = []
    for buffer in changing { memory[buffer].update(repeating: .nan, count: buffer.count) }
    forgetWorkspace()
    // Buffers that share memory overwrite each other's guards.
    setGuards(at: 0)
  }

  /// After an instruction: what it was the last to need holds nothing any more.
  mutating func end(_ index: Int) {
    for buffer in all where isLive(buffer, at: index) {
      let words = UnsafeBufferPointer(start: guards(of: buffer), count: guardCount)
      if words.contains(where: { $0.bitPattern != Self.guardValue.bitPattern }) {
        faults.append(
          "\(program.instructions[index].name) wrote beyond buffer \(buffer.index)")
      }
    }
    for buffer in ending[index] {
      memory[buffer].update(repeating: .nan, count: buffer.count)
    }
    forgetWorkspace()
    setGuards(at: index + 1)
  }

  private func isLive(_ buffer: Buffer, at index: Int) -> Bool {
    program.lifetimes[buffer.index]?.contains(index) ?? true
  }

  private func setGuards(at index: Int) {
    for buffer in all where isLive(buffer, at: index) {
      guards(of: buffer).update(repeating: Self.guardValue, count: guardCount)
    }
  }

  private func forgetWorkspace() {
    memory[program.workspace].update(repeating: .nan, count: program.workspace.count)
  }
}
