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

  /// Weight points of a slice.
  var pointsPerSlice: Int { tileSizes.weightPoints.sliceCount }

  /// Floats from a point of the whole weight to the next: one line more than they need, since points at a power of
  /// two's distance share their cache sets.
  var pointStep: Int { outputBlocks * blockStep + Self.block }

  /// Transforms one output block and one input block at some slices of points, to `[point][pointStep]`; `target` is where
  /// that input block's first lane at the first point lies.
  func transform(
    _ source: UnsafePointer<Float>, slices: Range<Int>, outputBlock: Int, inputBlock: Int,
    into target: UnsafeMutablePointer<Float>, pointStep: Int
  ) {
    let inputs = weights.blocks.widths[inputBlock]
    let points = tileSizes.weightPoints
    func transform(z: Int, y: Range<Int>, into target: UnsafeMutablePointer<Float>) {
      var job = nn_winograd_weights(
        tile_sizes: tileSizes.code, z_point: Int32(z), y_point: Int32(y.lowerBound),
        rows: Int32(y.count), inputs: Int32(inputs),
        source: source + weights.offset(outputBlock: outputBlock, inputBlock: inputBlock),
        tap_step: inputs * Self.block, target: target, point_step: pointStep)
      kernels.pointee.winograd_weights(&job)
    }
    guard points.z > 1 else { return transform(z: 0, y: slices, into: target) }
    for (number, z) in slices.enumerated() {
      transform(z: z, y: 0..<points.y, into: target + number * pointsPerSlice * pointStep)
    }
  }

  /// Floats of the whole weight at all points: `[point][output block][input][16]`.
  var count: Int { tileSizes.weightPoints.count * pointStep }

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
    // Every chunk writes the lanes of its own output block and input block only.
    team.forEach(outputBlocks * inputBlocks) { index, _ in
      let (outputBlock, inputBlock) = (index / inputBlocks, index % inputBlocks)
      transform(
        source, slices: 0..<tileSizes.weightPoints.slices, outputBlock: outputBlock,
        inputBlock: inputBlock,
        into: target + outputBlock * blockStep + inputBlock * Self.block * Self.block,
        pointStep: pointStep)
    }
  }
}
