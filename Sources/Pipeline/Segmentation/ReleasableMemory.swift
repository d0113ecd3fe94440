// SPDX-License-Identifier: Apache-2.0
internal import SWTRuntime

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Numbers in half precision, zero at first, that take memory only where something was written; what is
/// cleared gives its pages back.
final class ReleasableMemory: @unchecked Sendable {
  // Invariant: `start` is mapped in `init` with `byteCount` bytes and unmapped in `deinit`; threads write to
  // places of their own.
  let start: UnsafeMutablePointer<UInt16>
  private let byteCount: Int
  private let isReleased: Bool

  static let pageSize = 4096
  /// Smaller memory is cleared by writing zeros: pages that come back cost more.
  static let smallestReleased = 1 << 28

  init(count: Int) throws(RuntimeError) {
    byteCount = max(count, 1) * MemoryLayout<UInt16>.stride
    isReleased = byteCount >= Self.smallestReleased
    guard
      let memory = mmap(
        nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      memory != MAP_FAILED
    else { throw RuntimeError(.memory(byteCount: byteCount)) }
    // Large pages would come back as a whole only.
    if isReleased { madvise(memory, byteCount, MADV_NOHUGEPAGE) }
    start = memory.assumingMemoryBound(to: UInt16.self)
  }

  deinit { munmap(start, byteCount) }

  /// Makes numbers zero.
  func clear(_ first: Int, count: Int) {
    let size = MemoryLayout<UInt16>.stride
    let (begin, end) = (first * size, (first + count) * size)
    let raw = UnsafeMutableRawPointer(start)
    let pages = (
      first: (begin + Self.pageSize - 1) / Self.pageSize * Self.pageSize,
      end: end / Self.pageSize * Self.pageSize
    )
    guard isReleased, pages.first < pages.end,
      madvise(raw + pages.first, pages.end - pages.first, MADV_DONTNEED) == 0
    else {
      memset(raw + begin, 0, end - begin)
      return
    }
    memset(raw + begin, 0, pages.first - begin)
    memset(raw + pages.end, 0, end - pages.end)
  }
}
