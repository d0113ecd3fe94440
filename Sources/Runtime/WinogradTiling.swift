internal import CKernels

/// The tiles of a Winograd convolution: which voxels they read and write, and their transforms.
struct WinogradTiling: Sendable {
  private static let block = Int(NN_BLOCK)

  let geometry: ConvolutionGeometry
  let mix: WinogradMix
  let kernels: UnsafePointerBox
  /// Tiles along each axis; they are counted along x first.
  let tiles: Extent3
  let inputBlocks: Int
  let outputBlocks: Int
  /// Floats between two transformed tiles; one cache line more than they need, since tiles at a power
  /// of two's distance would fight for the same cache sets.
  let tileStep: Int

  init(_ geometry: ConvolutionGeometry, mix: WinogradMix, kernels: UnsafePointerBox) {
    self.geometry = geometry
    self.mix = mix
    self.kernels = kernels
    tiles = mix.tiles(geometry.output)
    inputBlocks = (geometry.inputChannels + Self.block - 1) / Self.block
    outputBlocks = (geometry.outputChannels + Self.block - 1) / Self.block
    tileStep = (mix.points.count + 1) * Self.block
  }

  func resized(to input: Extent3) -> WinogradTiling {
    var geometry = geometry
    geometry.input = input
    return WinogradTiling(geometry, mix: mix, kernels: kernels)
  }

  private func position(of tile: Int) -> Extent3 {
    Extent3(z: tile / (tiles.y * tiles.x), y: tile / tiles.x % tiles.y, x: tile % tiles.x)
  }

  /// Transforms one block of channels of some tiles, pending activation applied, to `[tile][point][16]`.
  func transformInput(
    _ feature: Feature, block: Int, tiles range: Range<Int>,
    into target: UnsafeMutablePointer<Float>, context: RunContext
  ) {
    let plane =
      UnsafePointer(context.arena[feature.activation.range]) + block * feature.activation.blockStep
    let points = mix.points
    withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: points.z * points.y) {
      rows in
      guard let start = rows.baseAddress else { return }
      var tile = range.lowerBound
      while tile < range.upperBound {
        let position = position(of: tile)
        let count = min(tiles.x - position.x, range.upperBound - tile)
        setRows(rows, plane, position)
        var job = nn_winograd_input(
          mix: mix.code, rows: UnsafePointer(start), width: Int32(geometry.input.x),
          first_x: Int32(position.x * mix.inputStep.x - geometry.padding.x), tiles: Int32(count),
          pending: feature.pending.kernel(block: block, in: context.arena),
          target: target + (tile - range.lowerBound) * tileStep, tile_step: tileStep)
        kernels.pointee.winograd_input(&job)
        tile += count
      }
    }
  }

  /// The rows that a tile row reads: `z × y`, `nil` outside the input.
  private func setRows(
    _ rows: UnsafeMutableBufferPointer<UnsafePointer<Float>?>, _ plane: UnsafePointer<Float>,
    _ position: Extent3
  ) {
    let input = geometry.input
    let firstZ = position.z * mix.inputStep.z - geometry.padding.z
    let firstY = position.y * mix.inputStep.y - geometry.padding.y
    for z in 0..<mix.points.z {
      for y in 0..<mix.points.y {
        let isInside = (0..<input.z).contains(firstZ + z) && (0..<input.y).contains(firstY + y)
        rows[z * mix.points.y + y] =
          isInside ? plane + ((firstZ + z) * input.y + firstY + y) * input.x * Self.block : nil
      }
    }
  }

  /// Transforms one block of channels of some tiles back, from `[tile][point][16]`.
  func transformOutput(
    _ products: UnsafePointer<Float>, block: Int, tiles range: Range<Int>, into output: Activation,
    context: RunContext
  ) {
    let target = context.arena[output.range] + block * output.blockStep
    let extent = output.extent
    for tile in range {
      let position = position(of: tile)
      let (z, y, x) = (
        position.z * mix.outputs.z, position.y * mix.outputs.y, position.x * mix.outputs.x
      )
      var job = nn_winograd_output(
        mix: mix.code, source: products + (tile - range.lowerBound) * tileStep,
        target: target + ((z * extent.y + y) * extent.x + x) * Self.block,
        plane_step: extent.y * extent.x * Self.block, row_step: extent.x * Self.block,
        count_z: Int32(min(mix.outputs.z, extent.z - z)),
        count_y: Int32(min(mix.outputs.y, extent.y - y)),
        count_x: Int32(min(mix.outputs.x, extent.x - x)))
      kernels.pointee.winograd_output(&job)
    }
  }
}
