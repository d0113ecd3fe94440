// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Convolution of the network's input, of few channels, along rows by F(4, 3) and plainly along the other axes: half the
/// multiplications, for transforms that are next to nothing where an input has one channel and an output 32.
///
/// A task takes some rows of some planes: it transforms the input rows that they need once, halo included, and then goes
/// through the output blocks.
struct WinogradRowConvolution: PlaneConvolution {
  private static let block = TensorLayout.blockWidth
  /// Floats that the transformed rows of a task may take: they have to stay in the second-level cache.
  private static let slabLimit = 96 * 1024
  private static let points = NN_WINOGRAD_ROW_POINTS
  private static let outputs = NN_WINOGRAD_ROW_OUTPUTS

  var operands: ConvolutionOperands
  let weights: PackedWeights
  private let kernels: Kernels
  /// The weight at all points, `[output block][row][input][point][16]`.
  private let kept: StoredWeights
  private let task: TaskSize
  /// Tiles of a row that there is room for: what the kernels transform in one go.
  private let tiles: Int
  /// Of every row of the kernel and every input, where its line lies in the slab.
  private let lineOffsets: [Int32]

  var method: ConvolutionMethod { .rows }
  var weightByteCount: Int { weights.byteCount + kept.byteCount }
  private var geometry: ConvolutionGeometry { operands.geometry }

  /// Whether a convolution of the network's input can be done so, and is worth it.
  static func fits(_ geometry: ConvolutionGeometry) -> Bool {
    geometry.kernel.x == 3 && geometry.stride.x == 1 && geometry.voxelStep.count == 1
      && geometry.inputs.count == 1 && geometry.positions.x >= 2 * outputs
  }

  init(
    _ operands: ConvolutionOperands, weights: PackedWeights, target: Target
  ) throws(RuntimeError) {
    self.operands = operands
    self.weights = weights
    kernels = target.kernels
    let geometry = operands.geometry
    let rows = geometry.kernel.z * geometry.kernel.y
    kept = try weights.stored(
      .winogradRows(instructionSet: target.kernels.name),
      floats: weights.layout.blockCount * rows * geometry.inputChannels * Self.points * Self.block)
    let own = (geometry.positions.x + Self.outputs - 1) / Self.outputs
    let tiles = (own + Self.block - 1) / Self.block * Self.block
    self.tiles = tiles

    let line = Self.points * tiles
    let task = TaskSize(geometry, line: line, threads: target.threads)
    self.task = task
    lineOffsets = (0..<rows * geometry.inputChannels).map { index in
      let (row, input) = (index / geometry.inputChannels, index % geometry.inputChannels)
      let place = row / geometry.kernel.y * task.packedRows + row % geometry.kernel.y
      return Int32((place * geometry.inputChannels + input) * line)
    }
  }

  /// What a task computes at most, and what of the input it reads for that.
  private struct TaskSize {
    var planes, rows: Int
    private let geometry: ConvolutionGeometry

    /// - Parameter line: floats of one input's transformed row.
    init(_ geometry: ConvolutionGeometry, line: Int, threads: Int) {
      self.geometry = geometry
      (planes, rows) = (min(4, geometry.positions.z), min(16, geometry.positions.y))
      while packedPlanes * packedRows * geometry.inputChannels * line > slabLimit, rows > 1 {
        if planes > 1 { planes /= 2 } else { rows = (rows + 1) / 2 }
      }
      // Enough tasks for all threads to end at about the same time.
      let wanted = threads == 1 ? 1 : 8 * threads
      while planes > 1, tasks < wanted { planes /= 2 }
      while rows > 2, tasks < wanted { rows = (rows + 1) / 2 }
    }

    var packedPlanes: Int { packed(planes: planes) }
    var packedRows: Int { packed(rows: rows) }
    func packed(planes: Int) -> Int { (planes - 1) * geometry.stride.z + geometry.kernel.z }
    func packed(rows: Int) -> Int { (rows - 1) * geometry.stride.y + geometry.kernel.y }

    private var tasks: Int { planeTasks(geometry.positions.z) * rowTasks }
    var rowTasks: Int { (geometry.positions.y + rows - 1) / rows }
    func planeTasks(_ planes: Int) -> Int { (planes + self.planes - 1) / self.planes }
  }

  /// Floats of the transformed rows of all inputs at one place along z and y.
  private var placeStep: Int { geometry.inputChannels * Self.points * tiles }
  private var slabCount: Int { task.packedPlanes * task.packedRows * placeStep }
  /// Voxels that are read of a row, halo and room for all tiles included.
  private var paddedWidth: Int { tiles * Self.outputs + Self.points - Self.outputs }

  var workspaceCount: Int { slabCount + paddedWidth }
  var momentGroups: Int { task.planeTasks(geometry.positions.z) * task.rowTasks }

  func prepare() {
    weights.prepare()
    kept.prepare { target in
      weights.withUnsafePointer(kernels: kernels, team: ThreadTeam(count: 1)) { source in
        let rows = geometry.kernel.z * geometry.kernel.y
        for block in 0..<weights.layout.blockCount {
          kernels.pointee.winograd_row_weights(
            source + weights.offset(outputBlock: block, inputBlock: 0), Int32(rows),
            Int32(geometry.inputChannels), target + block * weightBlockStep)
        }
      }
    }
  }

  private var weightBlockStep: Int { lineOffsets.count * Self.points * Self.block }

  func run(
    planes: Range<Int>, streams: Bool, moments: UnsafeMutablePointer<nn_moments>?,
    context: RunContext
  ) {
    context.team.forEach(task.planeTasks(planes.count) * task.rowTasks) { index, worker in
      let first = index / task.rowTasks * task.planes
      let own = first..<min(first + task.planes, planes.count)
      let firstRow = index % task.rowTasks * task.rows
      let rows = firstRow..<min(firstRow + task.rows, geometry.positions.y)
      let slab = context.workspace(of: worker)
      transform(
        firstPlane: planes.lowerBound + own.lowerBound, planes: own.count, rows, into: slab,
        context)
      if let moments {
        for block in 0..<operands.output.blocks {
          moments[block * momentGroups + index] = nn_moments()
        }
      }
      multiply(
        slab, planes: own, rows, streams: streams, moments: moments.map { $0 + index },
        into: context.memory[operands.output])
    }
  }

  /// Transforms the rows that some outputs read: `[z][y][input][point][tile]`.
  private func transform(
    firstPlane: Int, planes: Int, _ rows: Range<Int>, into slab: UnsafeMutablePointer<Float>,
    _ context: RunContext
  ) {
    let (input, padding, stride) = (geometry.input, geometry.padding, geometry.stride)
    let padded = slab + slabCount
    padded.update(repeating: 0, count: paddedWidth)
    let used = min(input.x, paddedWidth - padding.x)
    for plane in 0..<task.packed(planes: planes) {
      let z = firstPlane * stride.z - padding.z + plane
      for row in 0..<task.packed(rows: rows.count) {
        let y = rows.lowerBound * stride.y - padding.y + row
        let place = slab + (plane * task.packedRows + row) * placeStep
        guard (0..<input.z).contains(z), (0..<input.y).contains(y) else {
          place.update(repeating: 0, count: placeStep)
          continue
        }
        for channel in 0..<geometry.inputChannels {
          (padded + padding.x).update(
            from: context.input + ((channel * input.z + z) * input.y + y) * input.x, count: used)
          kernels.pointee.winograd_row_points(
            padded, Int32(tiles), place + channel * Self.points * tiles, tiles)
        }
      }
    }
  }

  private func multiply(
    _ slab: UnsafePointer<Float>, planes: Range<Int>, _ rows: Range<Int>, streams: Bool,
    moments: UnsafeMutablePointer<nn_moments>?, into target: UnsafeMutablePointer<Float>
  ) {
    let (output, stride) = (operands.output, geometry.stride)
    let blocksPerTile = Int(kernels.pointee.direct_blocks)
    lineOffsets.withUnsafeBufferPointer { offsets in
      guard let offsets = offsets.baseAddress else { return }
      for block in Swift.stride(from: 0, to: output.blocks, by: blocksPerTile) {
        for position in 0..<planes.count * rows.count {
          let (plane, row) = (position / rows.count, position % rows.count)
          let place = plane * stride.z * task.packedRows + row * stride.y
          let line = (planes.lowerBound + plane) * output.extent.y + rows.lowerBound + row
          var job = nn_winograd_row(
            input: slab + place * placeStep, line_offsets: offsets,
            lines: Int32(lineOffsets.count), point_step: tiles,
            voxels: Int32(geometry.positions.x),
            blocks: Int32(min(blocksPerTile, output.blocks - block)),
            weights: kept.pointer + block * weightBlockStep, weight_block_step: weightBlockStep,
            output: target + block * output.blockStep + line * output.extent.x * Self.block,
            output_block_step: output.blockStep, streams: streams ? 1 : 0,
            moments: moments.map { $0 + block * momentGroups }, moments_step: momentGroups)
          kernels.pointee.winograd_row(&job)
        }
      }
    }
  }
}
