internal import CKernels
internal import FileIO
internal import SWTFormat

/// A convolution's weight, transformed: `[point][output block][input][16]`, inputs padded with zeros
/// to whole blocks.
struct WinogradWeights: Sendable {
  private let bytes: Bytes
  /// Floats from an output block to the next.
  let blockStep: Int
  /// Floats from a point to the next.
  let pointStep: Int

  init(
    _ weights: PackedWeights, mix: WinogradMix, instructionSet: InstructionSet, threads: Int
  ) {
    let layout = weights.layout
    let block = Int(NN_BLOCK)
    let inputBlocks = (layout.inputs + block - 1) / block
    let blockStep = inputBlocks * block * block
    let pointStep = layout.blockCount * blockStep
    let buffer = HeapBuffer(
      byteCount: mix.weightPoints.count * pointStep * MemoryLayout<Float>.stride)
    // Invariant: every task writes the lanes of its own output block and input only.
    nonisolated(unsafe) let target = buffer.memory.bindMemory(to: Float.self)
    let kernels = UnsafePointerBox(instructionSet.kernels)
    let code = mix.code
    weights.withUnsafePointer { source in
      ThreadTeam(count: threads).forEach(layout.blockCount * layout.inputs) { index, _ in
        let (outputBlock, input) = (index / layout.inputs, index % layout.inputs)
        guard let start = target.baseAddress else { return }
        var job = nn_winograd_weights(
          mix: code,
          source: source + layout.laneIndex(block: outputBlock, input: input, tap: 0),
          tap_step: min(block, layout.inputs - input / block * block) * block,
          target: start + outputBlock * blockStep + input * block, point_step: pointStep)
        kernels.pointee.winograd_weights(&job)
      }
    }
    bytes = buffer.bytes
    self.blockStep = blockStep
    self.pointStep = pointStep
  }

  func withUnsafePointer(_ body: (UnsafePointer<Float>) -> Void) {
    bytes.withUnsafeBytes { bytes in
      bytes.bindMemory(to: Float.self).baseAddress.map(body)
    }
  }
}
