// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// Puts register tokens in front, and adds to every token its place's.
struct TokenEmbedding: Instruction {
  let name: String
  let source: TokenSequence
  /// `[register][width]`, floats.
  let registers: Bytes?
  /// `[token][width]`, floats, registers first.
  let positions: Bytes?
  let output: TokenSequence

  private static let rowsPerTask = 64

  var algorithm: String { "embedding" }
  var buffers: [Buffer] { [source.buffer, output.buffer] }

  func run(_ context: RunContext) {
    let (source, target) = (source.rows(in: context.memory), output.rows(in: context.memory))
    let (width, count, front) = (output.width, output.count, output.registers)
    withFloats(registers) { registers in
      withFloats(positions) { positions in
        let tasks = (count + Self.rowsPerTask - 1) / Self.rowsPerTask
        context.team.forEach(tasks) { task, _ in
          let first = task * Self.rowsPerTask
          for row in first..<min(first + Self.rowsPerTask, count) {
            let place = target[row]
            if row >= front {
              place.update(from: source[row - front], count: width)
            } else if let registers {
              place.update(from: registers + row * width, count: width)
            }
            guard let positions else { continue }
            let position = positions + row * width
            for index in 0..<width { place[index] += position[index] }
          }
        }
      }
    }
  }

  /// Tensors of the file and heap buffers are aligned to 64 bytes at least, and as long as their shapes say.
  private func withFloats(_ bytes: Bytes?, _ body: (UnsafePointer<Float>?) -> Void) {
    guard let bytes else { return body(nil) }
    bytes.withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: Float.self)) }
  }
}
