// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Memory of a session or of weights: one block, zero at first, touched only where it is used.
final class Memory: @unchecked Sendable {
  // Invariant: mapped in init, unmapped in deinit; buffers come from one layout and lie inside.
  private let base: UnsafeMutablePointer<Float>
  private let offsets: [Int]
  let byteCount: Int

  init(_ layout: BufferLayout) throws(RuntimeError) {
    offsets = layout.offsets
    byteCount = layout.byteCount
    guard
      let start = mmap(
        nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      start != MAP_FAILED
    else { throw RuntimeError(.memory(byteCount: byteCount)) }
    madvise(start, byteCount, MADV_HUGEPAGE)
    base = start.assumingMemoryBound(to: Float.self)
  }

  deinit { munmap(base, byteCount) }

  subscript(buffer: Buffer) -> UnsafeMutablePointer<Float> { base + offsets[buffer.index] }

  /// An activation's first value.
  subscript(activation: Activation) -> UnsafeMutablePointer<Float> {
    self[activation.buffer] + activation.offset
  }
}
