// SPDX-License-Identifier: Apache-2.0
internal import Dispatch
internal import Synchronization

/// A value that a thread of its own makes, while its owner goes on.
package final class BackgroundWork<Value: Sendable>: Sendable {
  private let made = Mutex<Value?>(nil)
  private let group = DispatchGroup()

  /// - Parameter label: names the thread's queue for debuggers.
  package init(_ label: String, _ make: @escaping @Sendable () -> Value) {
    // A queue of its own has a thread of its own, which waits for no other work.
    DispatchQueue(label: label).async(group: group) { [self] in
      let value = make()
      made.withLock { $0 = value }
    }
  }

  /// Whether it is there.
  package var isReady: Bool { group.wait(timeout: .now()) == .success }

  /// Waits for it.
  package var value: Value {
    group.wait()
    guard let value = made.withLock({ $0 }) else {
      preconditionFailure("the thread ended without a value")
    }
    return value
  }
}
