// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// Splits `0 ..< count` into ranges for at most `threads` threads.
package struct ParallelRanges: Sendable {
  let count: Int
  let threads: Int

  package init(count: Int, threads: Int) {
    self.count = count
    self.threads = threads
  }

  package func run(_ body: @Sendable (Range<Int>) -> Void) {
    let parts = max(1, min(count, threads))
    guard parts > 1 else { return body(0..<count) }
    ParallelLoop.run(parts) { part in
      body(part * count / parts..<(part + 1) * count / parts)
    }
  }
}
