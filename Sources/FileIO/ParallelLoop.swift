// SPDX-License-Identifier: Apache-2.0
internal import CLinux
// The C function calls into it.
internal import Dispatch

/// A loop whose iterations run side by side.
///
/// In place of `DispatchQueue.concurrentPerform`, which ends the process after a second where there is
/// no `/proc`; see `parallel.c`.
package enum ParallelLoop {
  /// Calls `body` once for every index below `count`, on several threads; returns when all is done.
  package static func run(_ count: Int, _ body: @Sendable (_ index: Int) -> Void) {
    guard count > 1 else {
      if count == 1 { body(0) }
      return
    }
    // Invariant: linux_parallel returns only when every call has, so neither pointer nor body escapes.
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { pointer in
        linux_parallel(count, UnsafeMutableRawPointer(mutating: pointer)) { context, index in
          context?.assumingMemoryBound(to: (@Sendable (Int) -> Void).self).pointee(index)
        }
      }
    }
  }
}
