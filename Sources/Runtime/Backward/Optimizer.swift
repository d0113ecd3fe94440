// SPDX-License-Identifier: Apache-2.0
internal import CKernels

/// Changes parameters by their gradients, as PyTorch's optimisers do, and clears the gradients.
package final class Optimizer {
  package enum Rule: Sendable, Equatable {
    /// `torch.optim.SGD` with Nesterov's momentum.
    case sgd(momentum: Double)
    /// `torch.optim.AdamW`.
    case adamW(beta1: Double, beta2: Double, eps: Double)
  }

  package struct Settings: Sendable, Equatable {
    package var rule: Rule
    package var weightDecay: Double
    /// Whether vectors decay too: norms' weights, and biases.
    package var decaysVectors: Bool
    /// The largest norm of all gradients together.
    package var clip: Double

    package init(rule: Rule, weightDecay: Double, decaysVectors: Bool, clip: Double) {
      self.rule = rule
      self.weightDecay = weightDecay
      self.decaysVectors = decaysVectors
      self.clip = clip
    }
  }

  package let settings: Settings
  private let parameters: TrainedParameters
  private let team: ThreadTeam
  private let kernels: Kernels
  private let memory: Memory
  /// Of every entry: velocities, or means of gradients; and means of their squares.
  private let first, second: [Buffer]
  /// Of every entry how many steps it has taken.
  package private(set) var stepCounts: [Int]

  private static let chunkCount = 1 << 15

  /// What it remembers of every parameter, to go on from later.
  package struct State: Sendable {
    package var first, second: [[Float]]
    package var stepCounts: [Int]

    package static let none = State(first: [], second: [], stepCounts: [])

    package init(first: [[Float]], second: [[Float]], stepCounts: [Int]) {
      self.first = first
      self.second = second
      self.stepCounts = stepCounts
    }
  }

  /// Whether this can be what it remembers after at most so many steps.
  package func takes(_ state: State, steps: Int) -> Bool {
    func fits(_ stored: [[Float]]) -> Bool {
      stored.count == first.count
        && zip(stored, first).allSatisfy { $0.isEmpty || $0.count == $1.count }
    }
    return fits(state.first) && fits(state.second)
      && state.stepCounts.count == first.count
      && state.stepCounts.allSatisfy((0...steps).contains)
  }

  /// Goes on from what it once remembered.
  package func restore(_ state: State) {
    for (buffers, stored) in [(first, state.first), (second, state.second)] {
      for (buffer, values) in zip(buffers, stored) {
        precondition(values.isEmpty || values.count == buffer.count)
        memory[buffer].update(from: values, count: values.count)
      }
    }
    stepCounts = state.stepCounts
  }

  /// What a state is made of, array by array, since all together are large: the first ones of all entries, then
  /// the second ones. Empty where there is nothing to remember.
  package var stored: [StoredNumbers] {
    let isAdaptive = if case .adamW = settings.rule { true } else { false }
    func arrays(_ buffers: [Buffer], _ isUsed: Bool) -> [StoredNumbers] {
      zip(buffers, stepCounts).map { buffer, count in
        let memory = memory
        let length = isUsed && count > 0 ? buffer.count : 0
        return StoredNumbers(count: length) {
          Array(UnsafeBufferPointer(start: memory[buffer], count: length))
        }
      }
    }
    return arrays(first, true) + arrays(second, isAdaptive)
  }

  package init(
    _ parameters: TrainedParameters, settings: Settings, threads: Int
  ) throws(RuntimeError) {
    self.parameters = parameters
    self.settings = settings
    team = ThreadTeam(count: threads)
    kernels = try Kernels.chosen()
    var buffers = Buffers()
    first = parameters.entries.map { buffers.reserve($0.storedCount) }
    second = parameters.entries.map { buffers.reserve($0.storedCount) }
    // Untouched memory takes none: SGD has no second state.
    memory = try Memory(BufferLayout(buffers, lifetimes: buffers.counts.map { _ in nil }))
    stepCounts = [Int](repeating: 0, count: parameters.entries.count)
  }

  /// A part of one entry.
  private struct Chunk {
    let entry: Int
    let start, count: Int
  }

  /// Takes one step.
  ///
  /// - Parameter rates: the learning rate of every group; groups beyond them are frozen: they neither decay nor
  ///   count.
  /// - Returns: the norm of all gradients before clipping.
  @discardableResult
  package func step(rates: [Double]) -> Double {
    let entries = parameters.entries
    let chunks = entries.indices.filter { index in
      entries[index].hasEffect && rates.indices.contains(entries[index].group)
    }.flatMap { entry in
      stride(from: 0, to: entries[entry].storedCount, by: Self.chunkCount).map { start in
        Chunk(
          entry: entry, start: start,
          count: min(Self.chunkCount, entries[entry].storedCount - start))
      }
    }
    let changed = Set(chunks.map(\.entry)).sorted()
    for entry in changed { parameters.completeGradient(of: entries[entry]) }
    let norm = self.norm(chunks)
    let factor = Float(min(1, settings.clip / (norm + 1e-6)))
    for entry in changed { stepCounts[entry] += 1 }
    team.forEach(chunks.count) { index, _ in
      update(chunks[index], rate: rates[entries[chunks[index].entry].group], factor: factor)
    }
    for entry in changed { parameters.clearGradient(of: entries[entry]) }
    parameters.noteChange()
    return norm
  }

  private func norm(_ chunks: [Chunk]) -> Double {
    var sums = [Double](repeating: 0, count: chunks.count)
    sums.withUnsafeMutableBufferPointer { sums in
      // Invariant: every task writes its own element.
      nonisolated(unsafe) let sums = sums
      team.forEach(chunks.count) { index, _ in
        let chunk = chunks[index]
        let gradient = parameters.gradient(parameters.entries[chunk.entry]) + chunk.start
        kernels.pointee.sum_of_squares(gradient, chunk.count, &sums[index])
      }
    }
    return sums.reduce(0, +).squareRoot()
  }

  private func update(_ chunk: Chunk, rate: Double, factor: Float) {
    let entry = parameters.entries[chunk.entry]
    let decay = settings.decaysVectors || entry.shape.count > 1 ? settings.weightDecay : 0
    let gradient = parameters.gradient(entry) + chunk.start
    let values = parameters.values(entry) + chunk.start
    let state = memory[first[chunk.entry]] + chunk.start
    let count = stepCounts[chunk.entry]
    switch settings.rule {
    case .sgd(let momentum):
      var step = nn_sgd(
        rate: Float(rate), momentum: Float(momentum), decay: Float(decay),
        gradient_factor: factor, is_first: count == 1 ? 1 : 0)
      kernels.pointee.sgd_step(&step, gradient, state, values, chunk.count)
    case .adamW(let beta1, let beta2, let eps):
      var step = nn_adamw(
        kept: Float(1 - rate * decay), beta1: Float(beta1), rest1: Float(1 - beta1),
        beta2: Float(beta2), rest2: Float(1 - beta2), eps: Float(eps), gradient_factor: factor,
        rate: Float(rate / (1 - power(beta1, count))),
        root: Float((1 - power(beta2, count)).squareRoot()))
      kernels.pointee.adamw_step(
        &step, gradient, state, memory[second[chunk.entry]] + chunk.start, values, chunk.count)
    }
  }

  private func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, factor, left) = (1.0, base, exponent)
    while left > 0 {
      if left & 1 == 1 { result *= factor }
      factor *= factor
      left >>= 1
    }
    return result
  }
}
