// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// The transform of a convolution's weight to the points of tiles, piece by piece.
struct WinogradWeights: Sendable {
  private static let block = TensorLayout.blockWidth

  let weights: PackedWeights
  private let tileSizes: WinogradTileSizes
  private let kernels: Kernels
  let inputBlocks: Int
  let outputBlocks: Int
  /// Floats of one output block at one point, `[input][16]`, inputs padded with zeros to whole blocks.
  let blockStep: Int

  init(_ weights: PackedWeights, tileSizes: WinogradTileSizes, kernels: Kernels) {
    self.weights = weights
    self.tileSizes = tileSizes
    self.kernels = kernels
    inputBlocks = weights.blocks.count
    outputBlocks = weights.layout.blockCount
    blockStep = inputBlocks * Self.block * Self.block
  }

  /// Points along y and x: what one plane of points holds.
  var pointsPerPlane: Int { tileSizes.weightPoints.y * tileSizes.weightPoints.x }

  /// Floats from a point to the next where a point holds so many output blocks: one line more than
  /// they need, since points at a power of two's distance share their cache sets.
  func pointStep(blocks: Int) -> Int { blocks * blockStep + Self.block }

  /// Transforms one output block and one input block at one plane of points, to
  /// `[point][pointStep]`; `target` is where that input block's first lane at the first point lies.
  func transform(
    _ source: UnsafePointer<Float>, plane: Int, outputBlock: Int, inputBlock: Int,
    into target: UnsafeMutablePointer<Float>, pointStep: Int
  ) {
    let inputs = weights.blocks.widths[inputBlock]
    var job = nn_winograd_weights(
      tile_sizes: tileSizes.code, z_point: Int32(plane), inputs: Int32(inputs),
      source: source + weights.offset(outputBlock: outputBlock, inputBlock: inputBlock),
      tap_step: inputs * Self.block, target: target, point_step: pointStep)
    kernels.pointee.winograd_weights(&job)
  }

  /// Floats of the whole weight at all points: `[point][output block][input][16]`.
  var count: Int { tileSizes.weightPoints.count * pointStep(blocks: outputBlocks) }

  /// Calls `body` with the weight, widened into `widened`: what `transform` starts from.
  func withSource(
    widened: UnsafeMutablePointer<Float>, team: ThreadTeam, _ body: (UnsafePointer<Float>) -> Void
  ) {
    weights.withUnsafePointer(widened: widened, kernels: kernels, team: team, body)
  }

  /// Memory for the whole weight at all points, shared by all that use it.
  func stored() throws(RuntimeError) -> StoredWeights {
    try weights.stored(
      .winograd(
        tileSizes: tileSizes.code, weights.blocks, instructionSet: kernels.name), floats: count)
  }

  /// Transforms the whole weight, once, and lets go of the file's pages in this process' memory.
  func transform(into target: UnsafeMutablePointer<Float>, team: ThreadTeam) {
    weights.withUnsafePointer(kernels: kernels, team: team) { source in
      transform(source, into: target, team: team)
    }
    weights.releasePages()
  }

  /// Transforms the whole weight.
  func transform(
    _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, team: ThreadTeam
  ) {
    let pointStep = pointStep(blocks: outputBlocks)
    // Every chunk writes the lanes of its own output block and input block only.
    team.forEach(outputBlocks * inputBlocks) { index, _ in
      let (outputBlock, inputBlock) = (index / inputBlocks, index % inputBlocks)
      for plane in 0..<tileSizes.weightPoints.z {
        transform(
          source, plane: plane, outputBlock: outputBlock, inputBlock: inputBlock,
          into: target + plane * pointsPerPlane * pointStep + outputBlock * blockStep
            + inputBlock * Self.block * Self.block,
          pointStep: pointStep)
      }
    }
  }
}
