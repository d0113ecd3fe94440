internal import Synchronization

/// Memory for a weight in a form of its own, made once and kept; the sessions of one plan share it.
final class KeptWeights: Sendable {
  private let memory: Arena
  private let range: ArenaRange
  private let isReady = Mutex(false)

  /// Reserves memory, of which nothing is used before `prepare`: a plan costs next to nothing.
  init(floats: Int) throws(RuntimeError) {
    var plan = ArenaPlan()
    range = plan.reserve(floats)
    memory = try Arena(plan)
  }

  var byteCount: Int { memory.byteCount }
  var pointer: UnsafePointer<Float> { UnsafePointer(memory[range]) }

  /// Calls `fill`, unless that has been done.
  func prepare(_ fill: (UnsafeMutablePointer<Float>) -> Void) {
    isReady.withLock { isReady in
      guard !isReady else { return }
      fill(memory[range])
      isReady = true
    }
  }
}
