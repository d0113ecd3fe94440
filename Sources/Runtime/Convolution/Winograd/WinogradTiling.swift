// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// The tiles of a Winograd convolution: which voxels they read and write, and their transforms.
struct WinogradTiling: Sendable {
  private static let block = TensorLayout.blockWidth
  private static let longestSegment = 8

  let geometry: ConvolutionGeometry
  let tileSizes: WinogradTileSizes
  let kernels: Kernels
  /// Tiles along each axis; they are counted along x first.
  let tiles: Extent3
  /// Runs of at most `longestSegment` neighbouring tiles, of nearly equal length: what is transformed in
  /// one go, and what statistics are taken of.
  let segmentsPerRow: Int
  let inputBlocks: Int
  let outputBlocks: Int

  init(_ geometry: ConvolutionGeometry, tileSizes: WinogradTileSizes, kernels: Kernels) {
    self.geometry = geometry
    self.tileSizes = tileSizes
    self.kernels = kernels
    tiles = tileSizes.tiles(geometry.positions)
    segmentsPerRow = (tiles.x + Self.longestSegment - 1) / Self.longestSegment
    inputBlocks = geometry.inputs.count
    outputBlocks = (geometry.outputChannels + Self.block - 1) / Self.block
  }

  var segmentCount: Int { tiles.z * tiles.y * segmentsPerRow }

  /// Where cases run together their segments are counted on, and so are their tiles.
  func split(_ segment: Int) -> (case: Int, segment: Int) {
    (segment / segmentCount, segment % segmentCount)
  }

  /// Tiles of the same slices: how many segments they are, and the slices that they write, and read before
  /// those.
  var layer: (segments: Int, outputs: Int, padding: Int) {
    geometry.input.z > 1
      ? (tiles.y * segmentsPerRow, tileSizes.outputs.z, geometry.padding.z)
      : (segmentsPerRow, tileSizes.outputs.y, geometry.padding.y)
  }

  /// Tiles of the longest segment.
  var tilesPerSegment: Int { (tiles.x + segmentsPerRow - 1) / segmentsPerRow }

  /// The tiles of a segment.
  func tiles(ofSegment segment: Int) -> Range<Int> {
    let (row, part) = (segment / segmentsPerRow, segment % segmentsPerRow)
    let first = row * tiles.x
    return first + part * tiles.x / segmentsPerRow..<first + (part + 1) * tiles.x / segmentsPerRow
  }

  /// The tiles of neighbouring segments.
  func tiles(ofSegments segments: Range<Int>) -> Range<Int> {
    tiles(ofSegment: segments.lowerBound)
      .lowerBound..<tiles(ofSegment: segments.upperBound - 1).upperBound
  }

  /// Tiles from the start of one segment to that of a later one.
  func tiles(from first: Int, to segment: Int) -> Int {
    tiles(ofSegment: segment).lowerBound - tiles(ofSegment: first).lowerBound
  }

  private func position(of tile: Int) -> Extent3 {
    Extent3(z: tile / (tiles.y * tiles.x), y: tile / tiles.x % tiles.y, x: tile % tiles.x)
  }

  /// One block of channels of a segment's tiles: what is transformed in one go.
  struct InputRun {
    let feature: Feature
    let block: Int
    let segment: Int
    let context: RunContext
  }

  /// Transforms a run, pending activation applied. `target` is its block's place among tiles of which `tilesBefore` lie
  /// before these. What `next` reads is fetched meanwhile: a run begins with more lines than wait for memory at once.
  func transformInput(
    _ run: InputRun, next: InputRun?, into target: UnsafeMutablePointer<Float>,
    _ places: TilePlaces, tilesBefore: Int
  ) {
    let tiles = tiles(ofSegment: run.segment)
    let rowCount = tileSizes.points.z * tileSizes.points.y
    withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: 2 * rowCount) { rows in
      guard let start = rows.baseAddress else { return }
      let first = setRows(start, of: run)
      let nextFirst = next.map { setRows(start + rowCount, of: $0) }
      var job = nn_winograd_input(
        tile_sizes: tileSizes.code, rows: UnsafePointer(start), width: Int32(geometry.input.x),
        first_x: Int32(first), tiles: Int32(tiles.count),
        pending: run.feature.pending.kernel(block: run.block, in: run.context.memory),
        target: target, places: places.kernel, tiles_before: Int32(tilesBefore),
        next_first_x: Int32(nextFirst ?? 0),
        next_rows: next == nil ? nil : UnsafePointer(start + rowCount))
      kernels.pointee.winograd_input(&job)
    }
  }

  /// Sets the rows that a run reads: `z × y`, `nil` outside the input. Returns its first voxel along x, which may lie outside.
  private func setRows(
    _ rows: UnsafeMutablePointer<UnsafePointer<Float>?>, of run: InputRun
  ) -> Int {
    let plane =
      UnsafePointer(run.context.memory[run.feature.activation])
      + run.block * run.feature.activation.blockStep
    let position = position(of: tiles(ofSegment: run.segment).lowerBound)
    let input = geometry.input
    let firstZ = position.z * tileSizes.inputStep.z - geometry.padding.z
    let firstY = position.y * tileSizes.inputStep.y - geometry.padding.y
    for z in 0..<tileSizes.points.z {
      for y in 0..<tileSizes.points.y {
        let isInside = (0..<input.z).contains(firstZ + z) && (0..<input.y).contains(firstY + y)
        rows[z * tileSizes.points.y + y] =
          isInside ? plane + ((firstZ + z) * input.y + firstY + y) * input.x * Self.block : nil
      }
    }
    return position.x * tileSizes.inputStep.x - geometry.padding.x
  }

  /// Transforms one block of channels of a segment's tiles back, and makes `moments` the statistics of what it writes.
  /// `products` is the block's place among tiles of which `tilesBefore` lie before these.
  func transformOutput(
    _ products: UnsafePointer<Float>, _ places: TilePlaces, tilesBefore: Int, block: Int,
    segment: Int, into output: Activation, moments: UnsafeMutablePointer<nn_moments>?,
    context: RunContext
  ) {
    let outputs = outputs(ofSegment: segment, in: output)
    moments?.pointee = nn_moments()
    var job = nn_winograd_output(
      tile_sizes: tileSizes.code, tiles: Int32(tiles(ofSegment: segment).count), source: products,
      places: places.kernel, tiles_before: Int32(tilesBefore),
      target: context.memory[output] + block * output.blockStep + outputs.first,
      plane_step: outputs.planeStep, row_step: outputs.rowStep, count_z: outputs.count.z,
      count_y: outputs.count.y, count_x: outputs.count.x, streams: output.isStreamed ? 1 : 0,
      moments: moments)
    kernels.pointee.winograd_output(&job)
  }

  /// Transforms one block of channels of the outputs' gradients of a segment's tiles, to
  /// `[point][pointStep]`.
  func transformGradient(
    _ gradient: Activation, block: Int, segment: Int, into target: UnsafeMutablePointer<Float>,
    pointStep: Int, context: RunContext
  ) {
    let outputs = outputs(ofSegment: segment, in: gradient)
    var job = nn_winograd_gradient(
      tile_sizes: tileSizes.code, tiles: Int32(tiles(ofSegment: segment).count),
      source: context.memory[gradient] + block * gradient.blockStep + outputs.first,
      plane_step: outputs.planeStep, row_step: outputs.rowStep, count_z: outputs.count.z,
      count_y: outputs.count.y, count_x: outputs.count.x, target: target, point_step: pointStep)
    kernels.pointee.winograd_gradient(&job)
  }

  /// Where in a block of a map a segment's outputs lie, in floats, and how many of them lie inside.
  private struct Outputs {
    let first, planeStep, rowStep: Int
    let count: (z: Int32, y: Int32, x: Int32)
  }

  private func outputs(ofSegment segment: Int, in map: Activation) -> Outputs {
    let (extent, own) = (map.extent, tileSizes.outputs)
    let tiles = tiles(ofSegment: segment)
    let position = position(of: tiles.lowerBound)
    let (z, y, x) = (position.z * own.z, position.y * own.y, position.x * own.x)
    let rowStep = extent.x * Self.block
    return Outputs(
      first: (z * extent.y + y) * rowStep + x * Self.block, planeStep: extent.y * rowStep,
      rowStep: rowStep,
      count: (
        Int32(min(own.z, extent.z - z)), Int32(min(own.y, extent.y - y)),
        Int32(min(tiles.count * own.x, extent.x - x))
      ))
  }
}
