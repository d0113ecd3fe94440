internal import CKernels
internal import SWTFormat

/// Where a session keeps what the caller asked for.
struct OutputRange: Sendable {
  var range: ArenaRange
  var count: Int
}

/// Writes a stage's features as the caller wants them: `[channels][z][y][x]`.
struct SkipStep: Step {
  let name: String
  let source: Feature
  let output: ArenaRange
  let kernels: Kernels

  var algorithm: String { "unblock" }
  private static let chunkVoxels = 256
  var workspaceCount: Int { Self.chunkVoxels * TensorLayout.blockWidth }

  func run(_ context: RunContext) {
    let block = TensorLayout.blockWidth
    let activation = source.activation
    let voxels = activation.extent.count
    let chunks = (voxels + Self.chunkVoxels - 1) / Self.chunkVoxels
    let values = context.arena[activation.range]
    let target = context.arena[output]
    context.team.forEach(activation.blocks * chunks) { index, worker in
      let (channelBlock, chunk) = (index / chunks, index % chunks)
      let start = chunk * Self.chunkVoxels
      let count = min(Self.chunkVoxels, voxels - start)
      let row = context.workspace(of: worker)
      kernels.pointee.activate(
        values + channelBlock * activation.blockStep + start * block,
        source.pending.kernel(block: channelBlock, in: context.arena), row, count)
      for lane in 0..<min(block, activation.channels - channelBlock * block) {
        let plane = target + (channelBlock * block + lane) * voxels + start
        for voxel in 0..<count { plane[voxel] = row[voxel * block + lane] }
      }
    }
  }
}

/// `AdaptiveAvgPool(1)` and `Flatten`: the mean of every channel of the last stage.
struct PooledStep: Step {
  let name = "pooled"
  let source: Feature
  let output: ArenaRange
  let kernels: Kernels

  var algorithm: String { "mean" }
  /// Room for one double per channel.
  var workspaceCount: Int { 2 * TensorLayout.blockWidth }

  func run(_ context: RunContext) {
    let block = TensorLayout.blockWidth
    let activation = source.activation
    let values = context.arena[activation.range]
    let target = context.arena[output]
    context.team.forEach(activation.blocks) { channelBlock, worker in
      // Workers' scratch starts on 256-byte boundaries.
      let sums = UnsafeMutableRawPointer(context.workspace(of: worker))
        .assumingMemoryBound(to: Double.self)
      kernels.pointee.activated_sum(
        values + channelBlock * activation.blockStep,
        source.pending.kernel(block: channelBlock, in: context.arena), activation.extent.count, sums
      )
      for lane in 0..<min(block, activation.channels - channelBlock * block) {
        target[channelBlock * block + lane] = Float(sums[lane] / Double(activation.extent.count))
      }
    }
  }
}

/// The classifier: `logits = W · pooled + b`, summed in double.
struct LinearStep: Step {
  let name = "classifier"
  let weight: [Float]
  let bias: [Float]
  let input: ArenaRange
  let output: ArenaRange

  var algorithm: String { "linear" }

  func run(_ context: RunContext) {
    let pooled = context.arena[input]
    let logits = context.arena[output]
    for row in bias.indices { logits[row] = logit(row) { pooled[$0] } }
  }

  /// One row of `W · features + b`.
  func logit(_ row: Int, feature: (Int) -> Float) -> Float {
    let features = weight.count / bias.count
    var sum = Double(bias[row])
    for index in 0..<features {
      sum += Double(weight[row * features + index]) * Double(feature(index))
    }
    return Float(sum)
  }
}
