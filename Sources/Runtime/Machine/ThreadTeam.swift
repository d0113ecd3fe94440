// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import Synchronization

/// Runs chunks of work on a number of threads.
struct ThreadTeam: Sendable {
  let count: Int

  /// Calls `body` once for every chunk, on at most `count` threads; `worker` is below `count` and
  /// belongs to one thread at a time. Returns when all is done.
  ///
  /// What a chunk writes must not depend on the worker, so that results are the same for any count.
  func forEach(_ chunks: Int, _ body: (_ chunk: Int, _ worker: Int) -> Void) {
    guard count > 1, chunks > 1 else {
      for chunk in 0..<chunks { body(chunk, 0) }
      return
    }
    // Chunks are taken in turn as threads get free: a slow core does not hold up the others.
    let next = Atomic<Int>(0)
    withoutActuallyEscaping(body) { body in
      // Invariant: the loop returns only when every worker has, so nothing escapes.
      let shared = UncheckedBody(call: body)
      ParallelLoop.run(min(count, chunks)) { worker in
        while true {
          let chunk = next.add(1, ordering: .relaxed).oldValue
          guard chunk < chunks else { return }
          shared.call(chunk, worker)
        }
      }
    }
  }
}

private struct UncheckedBody: @unchecked Sendable {
  let call: (Int, Int) -> Void
}
