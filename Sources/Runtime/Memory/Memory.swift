// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Memory of a session or of weights, as one of the cases that run together sees it: its own part of every buffer,
/// and what all share.
struct Memory: Sendable {
  private let block: MemoryBlock
  private var caseNumber = 0

  init(_ layout: BufferLayout) throws(RuntimeError) {
    block = try MemoryBlock(layout)
  }

  /// The same memory for another case.
  func ofCase(_ number: Int) -> Memory {
    var other = self
    other.caseNumber = number
    return other
  }

  var byteCount: Int { block.byteCount }

  /// What memory of so many bytes takes.
  static func mappedByteCount(_ byteCount: Int) -> Int { MemoryBlock.mappedByteCount(byteCount) }

  subscript(buffer: Buffer) -> UnsafeMutablePointer<Float> {
    block.base + block.offsets[buffer.index] + caseNumber * buffer.caseStep
  }

  /// An activation's first value.
  subscript(activation: Activation) -> UnsafeMutablePointer<Float> {
    self[activation.buffer] + activation.offset
  }
}

/// One block, zero at first, touched only where it is used.
private final class MemoryBlock: @unchecked Sendable {
  // Invariant: mapped in init, unmapped in deinit; buffers come from one layout and lie inside.
  let base: UnsafeMutablePointer<Float>
  let offsets: [Int]
  private let mappedByteCount: Int
  let byteCount: Int

  private static let hugePage = 2 << 20

  /// Linux lets whole huge pages begin where one does. What is left of the last one is taken, too: little memory
  /// does without, and weights that began like tiles were slower to multiply by.
  static func mappedByteCount(_ byteCount: Int) -> Int {
    let rounded = (byteCount + hugePage - 1) / hugePage * hugePage
    return rounded - byteCount <= byteCount / 16 ? rounded : byteCount
  }

  init(_ layout: BufferLayout) throws(RuntimeError) {
    offsets = layout.offsets
    byteCount = layout.byteCount
    mappedByteCount = Self.mappedByteCount(byteCount)
    guard
      let start = mmap(
        nil, mappedByteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
        -1, 0),
      start != MAP_FAILED
    else { throw RuntimeError(.memory(byteCount: byteCount)) }
    madvise(start, mappedByteCount, MADV_HUGEPAGE)
    base = start.assumingMemoryBound(to: Float.self)
  }

  deinit { munmap(base, mappedByteCount) }
}
