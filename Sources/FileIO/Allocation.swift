// SPDX-License-Identifier: Apache-2.0
internal import CLinux

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Memory that Swift's arrays take.
package enum Allocation {
  /// Whether so many bytes more are available. Arrays do not ask: where they find none, the process ends.
  package static func isPossible(_ byteCount: Int) -> Bool {
    guard byteCount > 0 else { return true }
    guard
      let start = mmap(
        nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      start != MAP_FAILED
    else { return false }
    munmap(start, byteCount)
    return true
  }

  /// Gives the system back what large arrays left between smaller ones that are kept.
  package static func giveBack() { linux_give_back_memory() }
}
