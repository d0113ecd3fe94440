internal import CKernels
internal import SWTFormat

/// A convolution's weight, transformed: `[point][output block][input][16]`, inputs padded with zeros
/// to whole blocks.
struct WinogradWeights: Sendable {
  private let memory: Arena
  private let range: ArenaRange
  /// Floats from an output block to the next.
  let blockStep: Int
  /// Floats from a point to the next.
  let pointStep: Int

  init(
    _ weights: PackedWeights, mix: WinogradMix, instructionSet: InstructionSet, threads: Int
  ) throws(RuntimeError) {
    let layout = weights.layout
    let block = Int(NN_BLOCK)
    let inputBlocks = (layout.inputs + block - 1) / block
    let blockStep = inputBlocks * block * block
    let pointStep = layout.blockCount * blockStep
    var plan = ArenaPlan()
    range = plan.reserve(mix.weightPoints.count * pointStep)
    memory = try Arena(plan)
    self.blockStep = blockStep
    self.pointStep = pointStep
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
