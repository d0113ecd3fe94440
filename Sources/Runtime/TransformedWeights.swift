internal import Synchronization

/// A convolution's weight at all points of a mix, transformed once and kept; the sessions of one plan
/// share it.
final class TransformedWeights: Sendable {
  private let weights: WinogradWeights
  private let memory: Arena
  private let range: ArenaRange
  private let isTransformed = Mutex(false)

  /// Reserves memory, of which nothing is used before `prepare`: a plan costs next to nothing.
  init(_ weights: WinogradWeights) throws(RuntimeError) {
    self.weights = weights
    var plan = ArenaPlan()
    range = plan.reserve(weights.count)
    memory = try Arena(plan)
  }

  var byteCount: Int { memory.byteCount }
  var pointer: UnsafePointer<Float> { UnsafePointer(memory[range]) }

  /// Transforms the weight, unless that has been done.
  func prepare(threads: Int) {
    isTransformed.withLock { isTransformed in
      guard !isTransformed else { return }
      weights.transform(into: memory[range], team: ThreadTeam(count: threads))
      weights.releasePages()
      isTransformed = true
    }
  }
}
