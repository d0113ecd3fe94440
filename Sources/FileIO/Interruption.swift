// SPDX-License-Identifier: Apache-2.0
internal import CLinux

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The user's wish to stop: the first SIGINT or SIGTERM is noticed here, a second one ends the process.
package final class Interruption: Sendable {
  // Invariant: open until the process ends; below 0 where signals cannot be watched.
  private let descriptor: Int32

  /// Watches from now on; before any other thread is started, and once in a process.
  package init() { descriptor = linux_watch_interruptions() }

  /// Whether a signal has come.
  package var hasCome: Bool { linux_is_readable(descriptor) != 0 }

  /// Waits until the standard input can be read; `false` where a signal comes first.
  package func waitForInput() -> Bool { linux_wait(descriptor, 0) != 1 }

  /// Ends the process as the signal would have.
  package func die() -> Never {
    linux_die_interrupted(descriptor)
    exit(FailureKind.interrupted.codes.exitStatus)
  }
}
