internal import CKernels
internal import SWTFormat
internal import Synchronization

/// A convolution's weight, transformed: `[point][output block][input][16]`, inputs padded with zeros
/// to whole blocks. Sessions of one plan share them.
final class WinogradWeights: Sendable {
  private let weights: PackedWeights
  private let mix: WinogradMix
  private let memory: Arena
  private let range: ArenaRange
  private let inputBlocks: Int
  private let isTransformed = Mutex(false)
  /// Floats from an output block to the next.
  let blockStep: Int
  /// Floats from a point to the next.
  let pointStep: Int

  /// Reserves memory, of which nothing is used before `transform`: a plan costs next to nothing.
  init(_ weights: PackedWeights, mix: WinogradMix) throws(RuntimeError) {
    let layout = weights.layout
    let block = Int(NN_BLOCK)
    inputBlocks = (layout.inputs + block - 1) / block
    blockStep = inputBlocks * block * block
    pointStep = layout.blockCount * blockStep
    var plan = ArenaPlan()
    range = plan.reserve(mix.weightPoints.count * pointStep)
    memory = try Arena(plan)
    self.weights = weights
    self.mix = mix
  }

  var byteCount: Int { memory.byteCount }

  /// Fills the memory, unless that has been done.
  func transform(instructionSet: InstructionSet, threads: Int) {
    isTransformed.withLock { isTransformed in
      if !isTransformed { fill(instructionSet: instructionSet, threads: threads) }
      isTransformed = true
    }
  }

  private func fill(instructionSet: InstructionSet, threads: Int) {
    let layout = weights.layout
    let block = Int(NN_BLOCK)
    let target = memory[range]
    let kernels = UnsafePointerBox(instructionSet.kernels)
    weights.withUnsafePointer { source in
      // Every chunk writes the lanes of its own output block and input only.
      ThreadTeam(count: threads).forEach(layout.blockCount * inputBlocks) { index, _ in
        let (outputBlock, inputBlock) = (index / inputBlocks, index % inputBlocks)
        let inputs = min(block, layout.inputs - inputBlock * block)
        for input in inputBlock * block..<inputBlock * block + inputs {
          var job = nn_winograd_weights(
            mix: mix.code,
            source: source + layout.laneIndex(block: outputBlock, input: input, tap: 0),
            tap_step: inputs * block, target: target + outputBlock * blockStep + input * block,
            point_step: pointStep)
          kernels.pointee.winograd_weights(&job)
        }
      }
    }
  }

  var pointer: UnsafePointer<Float> { UnsafePointer(memory[range]) }
}
