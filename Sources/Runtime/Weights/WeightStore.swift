// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// Weights of a model in forms that its file does not have: made once, and shared by all its sessions.
///
/// May be used from any number of threads; freed with the model and the programs made of it.
final class WeightStore: Sendable {
  /// What became of a parameter's numbers.
  enum Form: Sendable, Hashable {
    /// Input channels in other blocks, as the maps have them that a convolution reads.
    case grouped(ChannelBlocks)
    /// A transposed convolution's as those of a 1×1×1 convolution.
    case upsampling
    /// Transformed for Winograd's algorithm by the kernels of an instruction set.
    case winograd(tileSizes: Int32, ChannelBlocks, instructionSet: String)
    /// The same along rows.
    case winogradRows(instructionSet: String)
    /// Pairs of bf16 numbers.
    case pairs(ChannelBlocks)
  }

  private struct Key: Hashable {
    let fold: Int
    let parameter: String
    let form: Form
  }

  private let entries = Mutex<[Key: StoredWeights]>([:])

  /// A parameter's numbers in one form; nothing is made before they are needed.
  ///
  /// - Parameters:
  ///   - fold: whose numbers: a position in the model's folds.
  ///   - floats: how much memory the form takes.
  func weights(
    fold: Int, parameter: String, form: Form, floats: Int
  ) throws(RuntimeError) -> StoredWeights {
    let key = Key(fold: fold, parameter: parameter, form: form)
    if let known = entries.withLock({ $0[key] }) { return known }
    let made = try StoredWeights(floats: floats)
    return entries.withLock { entries in
      // Another thread may have been faster.
      if let known = entries[key] { return known }
      entries[key] = made
      return made
    }
  }
}

/// Memory for a weight in a form of its own, filled once.
final class StoredWeights: Sendable {
  private let memory: Memory
  private let buffer: Buffer
  private let isReady = Mutex(false)

  /// Reserves memory, of which nothing is used before `prepare`: a program costs next to nothing.
  init(floats: Int) throws(RuntimeError) {
    var buffers = Buffers()
    buffer = buffers.reserve(floats)
    memory = try Memory(BufferLayout(buffers, lifetimes: [nil]))
  }

  var byteCount: Int { memory.byteCount }
  var pointer: UnsafePointer<Float> { UnsafePointer(memory[buffer]) }

  /// Calls `fill`, unless that has been done.
  func prepare(_ fill: (UnsafeMutablePointer<Float>) -> Void) {
    isReady.withLock { isReady in
      guard !isReady else { return }
      fill(memory[buffer])
      isReady = true
    }
  }
}
