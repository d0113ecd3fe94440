internal import CKernels
internal import SWTFormat
internal import Synchronization

/// A convolution's weight, transformed: `[point][output block][input][16]`, inputs padded with zeros
/// to whole blocks. Sessions of one plan share them.
///
/// A large weight grows up to eightfold, and transforming it costs little beside using it: it is
/// transformed anew in every run, into memory that all such layers share.
final class WinogradWeights: Sendable {
  private let weights: PackedWeights
  private let mix: WinogradMix
  private let instructionSet: InstructionSet
  /// What is kept, where it is.
  private let memory: Arena?
  private let range: ArenaRange
  private let inputBlocks: Int
  private let isTransformed = Mutex(false)
  /// Floats from an output block to the next.
  let blockStep: Int
  /// Floats from a point to the next.
  let pointStep: Int
  /// Floats of the transformed weight.
  let count: Int

  /// Floats from which on a transformed weight is not kept.
  static let largestKept = 1 << 19

  /// Reserves memory, of which nothing is used before `prepare`: a plan costs next to nothing.
  init(
    _ weights: PackedWeights, mix: WinogradMix, instructionSet: InstructionSet,
    largestKept: Int = WinogradWeights.largestKept
  ) throws(RuntimeError) {
    let layout = weights.layout
    let block = Int(NN_BLOCK)
    inputBlocks = (layout.inputs + block - 1) / block
    blockStep = inputBlocks * block * block
    // One line more than they need: points at a power of two's distance share their cache sets.
    pointStep = layout.blockCount * blockStep + block
    count = mix.weightPoints.count * pointStep
    var plan = ArenaPlan()
    range = plan.reserve(count)
    memory = count <= largestKept ? try Arena(plan) : nil
    self.weights = weights
    self.mix = mix
    self.instructionSet = instructionSet
  }

  /// Bytes that are kept.
  var keptByteCount: Int { memory?.byteCount ?? 0 }

  /// Floats that every run needs.
  var transientCount: Int { memory == nil ? count : 0 }

  /// Transforms what is kept, unless that has been done.
  func prepare(threads: Int) {
    guard let memory else { return }
    isTransformed.withLock { isTransformed in
      guard !isTransformed else { return }
      transform(into: memory[range], team: ThreadTeam(count: threads))
      weights.releasePages()
      isTransformed = true
    }
  }

  /// The transformed weight, for one run.
  func pointer(_ context: RunContext) -> UnsafePointer<Float> {
    if let memory { return UnsafePointer(memory[range]) }
    let target = context.arena[context.transientWeights]
    transform(into: target, team: context.team)
    return UnsafePointer(target)
  }

  private func transform(into target: UnsafeMutablePointer<Float>, team: ThreadTeam) {
    let layout = weights.layout
    let block = Int(NN_BLOCK)
    let planes = mix.weightPoints
    let kernels = UnsafePointerBox(instructionSet.kernels)
    weights.withUnsafePointer { source in
      // Every chunk writes the lanes of its own output block and input block only.
      team.forEach(layout.blockCount * inputBlocks) { index, _ in
        let (outputBlock, inputBlock) = (index / inputBlocks, index % inputBlocks)
        let inputs = min(block, layout.inputs - inputBlock * block)
        for plane in 0..<planes.z {
          var job = nn_winograd_weights(
            mix: mix.code, z_point: Int32(plane), inputs: Int32(inputs),
            source: source
              + layout.laneIndex(block: outputBlock, input: inputBlock * block, tap: 0),
            tap_step: inputs * block,
            target: target + plane * planes.y * planes.x * pointStep + outputBlock * blockStep
              + inputBlock * block * block,
            point_step: pointStep)
          kernels.pointee.winograd_weights(&job)
        }
      }
    }
  }
}
