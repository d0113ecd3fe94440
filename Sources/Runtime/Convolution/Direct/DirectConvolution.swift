// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Convolution as it is defined, with register tiles over voxels and output channels.
///
/// A task takes some output rows of one plane or several: it packs the input rows they need once, halo
/// and pending activation applied, and then goes through the output blocks; for each, the weights of
/// one input block stay in cache while all tiles of the task use them.
///
/// In bf16 the slab holds pairs of channels, each in the place of a float; else nothing differs.
struct DirectConvolution: PlaneConvolution {
  static let block = TensorLayout.blockWidth
  /// Taps, of one input block or of several, that a register tile takes in one go.
  private static let tapsPerPass = 32

  var operands: ConvolutionOperands
  let weights: PackedWeights
  let kernels: Kernels
  private let threads: Int
  /// Weights and kernels in bf16; `nil` for f32.
  let paired: PairedWeights?
  let blocking: DirectBlocking
  /// Of every input block the floats, or pairs, of a packed voxel, and those of the blocks before it.
  let elements: [Int]
  private let elementsBefore: [Int]
  /// In all input blocks together.
  private let elementsPerVoxel: Int
  private let passes: [Pass]
  /// Voxels of a row's tiles, nearly equal.
  private let tiles: [Int]

  /// Neighbouring input blocks of one width whose sums stay in registers: small kernels would else spend
  /// their time on loading and storing them.
  private struct Pass {
    let firstBlock: Int
    let blocks: Int
    /// Where the taps of all its blocks lie in the slab.
    let tapOffsets: [Int32]
  }

  var method: ConvolutionMethod { paired == nil ? .direct : .directBf16 }
  var geometry: ConvolutionGeometry { operands.geometry }
  var weightByteCount: Int { weights.byteCount + (paired?.byteCount ?? 0) }
  var scratchCount: Int { paired == nil ? weights.widenedCount : 0 }

  func prepare() {
    weights.prepare()
    paired?.prepare(widening: kernels, threads: threads)
  }

  init(_ operands: ConvolutionOperands, weights: PackedWeights, target: Target) {
    self.init(operands, weights: weights, paired: nil, target: target)
  }

  /// In bf16.
  init(
    bf16 operands: ConvolutionOperands, weights: PackedWeights, target: Target
  ) throws(RuntimeError) {
    guard let bf16 = target.bf16 else {
      preconditionFailure("AlgorithmChoice takes bf16 only where the target has it")
    }
    self.init(
      operands, weights: weights, paired: try PairedWeights(weights, bf16: bf16), target: target)
  }

  private init(
    _ operands: ConvolutionOperands, weights: PackedWeights, paired: PairedWeights?,
    target: Target
  ) {
    self.operands = operands
    self.paired = paired
    self.weights = weights
    kernels = target.kernels
    threads = target.threads
    let geometry = operands.geometry
    elements = geometry.inputs.widths.map { paired == nil ? $0 : Self.block / 2 }
    let total = elements.reduce(0, +)
    var before = 0
    elementsBefore = elements.map { count in
      defer { before += count }
      return before
    }
    elementsPerVoxel = total
    blocking = DirectBlocking(geometry, elementsPerVoxel: total, threads: target.threads)
    let width = geometry.positions.x
    let largest = Int(paired?.bf16.direct_voxels ?? kernels.pointee.direct_voxels)
    let count = (width + largest - 1) / largest
    tiles = (0..<count).map { ($0 + 1) * width / count - $0 * width / count }
    passes = Self.passes(elements, kernel: geometry.kernel, packed: blocking.packed)
  }

  private static func passes(_ elements: [Int], kernel: Extent3, packed: Extent3) -> [Pass] {
    let blocksPerPass = max(1, tapsPerPass / kernel.count)
    var passes: [Pass] = []
    var first = 0
    while first < elements.count {
      let width = elements[first]
      let blocks = elements[first...].prefix(blocksPerPass).prefix { $0 == width }.count
      let offsets = (0..<blocks * kernel.count).map { index in
        let (block, tap) = (index / kernel.count, index % kernel.count)
        let (z, y, x) = (tap / (kernel.y * kernel.x), tap / kernel.x % kernel.y, tap % kernel.x)
        return Int32(block * packed.count * width + ((z * packed.y + y) * packed.x + x) * width)
      }
      passes.append(Pass(firstBlock: first, blocks: blocks, tapOffsets: offsets))
      first += blocks
    }
    return passes
  }

  /// A packed input, and a row of 16 channels.
  var slabCount: Int {
    blocking.packed.count * elementsPerVoxel + blocking.packed.x * Self.block
  }

  /// Slabs of all cases that are multiplied by the same weights.
  var workspaceCount: Int { blocking.readsWeightsOnce ? operands.cases * slabCount : slabCount }

  var momentGroups: Int { blocking.planeTasks(geometry.positions.z) * blocking.rowTasks }

  func run(
    planes: Range<Int>, streams: Bool, moments: UnsafeMutablePointer<nn_moments>?,
    context: RunContext
  ) {
    withWeights(context) { weights in
      run(
        planes: planes, weights: weights, streams: streams, moments: [moments], [context], context)
    }
  }

  /// All together where every weight is read once only.
  func run(_ cases: [RunContext]) {
    guard blocking.readsWeightsOnce, let shared = cases.first else { return cases.forEach(run) }
    withWeights(shared) { weights in
      run(
        planes: 0..<geometry.positions.z, weights: weights, streams: false,
        moments: cases.map { operands.norm?.moments($0.memory) }, cases, shared)
    }
    for context in cases { operands.norm?.finish(operands.output, context: context) }
  }

  private func withWeights(_ context: RunContext, _ body: (UnsafePointer<Float>) -> Void) {
    if let paired { return body(paired.pointer) }
    // Where there is nothing to widen, the place for it is not used.
    let widened = context.memory[operands.scratch ?? operands.output.buffer]
    weights.withUnsafePointer(widened: widened, kernels: kernels, team: context.team, body)
  }

  /// What one thread does in one go.
  struct Task {
    var planes: Range<Int>
    /// Where the first plane lies in what is written.
    var outputPlane: Int
    var rows: Range<Int>
    /// Output blocks of the weights.
    var blocks: Range<Int>
    var streams: Bool
    /// Of the first output block.
    var moments: UnsafeMutablePointer<nn_moments>?
  }

  /// - Parameter cases: one, or several where weights are read once.
  private func run(
    planes: Range<Int>, weights: UnsafePointer<Float>, streams: Bool,
    moments: [UnsafeMutablePointer<nn_moments>?], _ cases: [RunContext], _ shared: RunContext
  ) {
    let (rowTasks, planesPerTask, rowsPerTask, blocksPerTask) = (
      blocking.rowTasks, blocking.planesPerTask, blocking.rowsPerTask, blocking.blocksPerTask
    )
    let outputBlocks = self.weights.layout.blockCount
    let blockTasks = (outputBlocks + blocksPerTask - 1) / blocksPerTask
    let inputBlocks = operands.input.blocks
    let tasks = blocking.planeTasks(planes.count) * rowTasks * blockTasks
    shared.team.forEach(tasks) { chunk, worker in
      let (group, blockTask) = (chunk / blockTasks, chunk % blockTasks)
      let firstPlane = group / rowTasks * planesPerTask
      let firstRow = group % rowTasks * rowsPerTask
      let tasks = moments.map { moments in
        Task(
          planes: planes.lowerBound + firstPlane..<planes.lowerBound
            + min(firstPlane + planesPerTask, planes.count),
          outputPlane: firstPlane,
          rows: firstRow..<min(firstRow + rowsPerTask, geometry.positions.y),
          blocks: blockTask * blocksPerTask..<min((blockTask + 1) * blocksPerTask, outputBlocks),
          streams: streams, moments: moments.map { $0 + group })
      }
      let slabs = shared.workspace(of: worker)
      // What every case has of the task: for some input blocks, and for some output blocks.
      func pack(_ blocks: Range<Int>) {
        for (number, task) in tasks.enumerated() {
          self.pack(
            inputBlocks, blocks, task, into: slabs + number * slabCount, context: cases[number])
        }
      }
      func multiply(_ blocks: Range<Int>, pass: Int) {
        for (number, task) in tasks.enumerated() {
          self.multiply(
            slabs + number * slabCount, task, blocks, pass: pass, by: weights,
            into: cases[number].memory[operands.output])
        }
      }
      for task in tasks {
        for block in task.blocks { task.moments.map { $0[block * momentGroups] = nn_moments() } }
      }
      if blocking.readsWeightsOnce {
        for (index, pass) in passes.enumerated() {
          pack(pass.firstBlock..<pass.firstBlock + pass.blocks)
          forEachTile(of: tasks[0]) { multiply($0, pass: index) }
        }
      } else {
        pack(elements.indices)
        forEachTile(of: tasks[0]) { blocks in
          for pass in passes.indices { multiply(blocks, pass: pass) }
        }
      }
    }
  }

  /// Where an input block's rows start in the slab.
  func slabOffset(_ inputBlock: Int) -> Int {
    blocking.packed.count * elementsBefore[inputBlock]
  }

  // MARK: - Multiplying

  /// The output blocks of every register tile.
  private func forEachTile(of task: Task, _ body: (Range<Int>) -> Void) {
    let tileBlocks = Int(
      paired?.bf16.direct_blocks ?? kernels.pointee.direct_blocks)
    let outputBlocks = operands.output.blocks
    var block = task.blocks.lowerBound
    while block < task.blocks.upperBound {
      // The blocks of a register tile belong to one voxel of a voxel step.
      let end = min(task.blocks.upperBound, (block / outputBlocks + 1) * outputBlocks)
      let blocks = block..<min(block + tileBlocks, end)
      body(blocks)
      block = blocks.upperBound
    }
  }

  /// Multiplies the input blocks of one pass into some output blocks.
  private func multiply(
    _ slab: UnsafeMutablePointer<Float>, _ task: Task, _ blocks: Range<Int>, pass index: Int,
    by weights: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>
  ) {
    let direct = paired?.bf16.direct ?? kernels.pointee.direct
    let pass = passes[index]
    let (output, packed, stride) = (operands.output, blocking.packed, geometry.stride)
    let (taps, elements, step) = (
      geometry.kernel.count, elements[pass.firstBlock], geometry.voxelStep
    )
    // Which voxel of a voxel step the blocks are, and which blocks of the output.
    let (voxel, block) = (
      blocks.lowerBound / output.blocks, blocks.lowerBound % output.blocks
    )
    let (voxelZ, voxelY, voxelX) = (
      voxel / (step.y * step.x), voxel / step.x % step.y, voxel % step.x
    )
    let isLast = index == passes.count - 1
    let input = slab + slabOffset(pass.firstBlock)
    let weights =
      weights
      + (blocks.lowerBound * elementsPerVoxel + elementsBefore[pass.firstBlock]) * taps
      * Self.block
    pass.tapOffsets.withUnsafeBufferPointer { offsets in
      guard let offsets = offsets.baseAddress else { return }
      for position in 0..<task.planes.count * task.rows.count {
        let (plane, row) = (position / task.rows.count, position % task.rows.count)
        let z = (task.outputPlane + plane) * step.z + voxelZ
        let y = (task.rows.lowerBound + row) * step.y + voxelY
        let line = (z * output.extent.y + y) * output.extent.x + voxelX
        let packedRow = plane * stride.z * packed.y + row * stride.y
        var x = 0
        for voxels in tiles {
          var tile = nn_direct_tile(
            input: input + (packedRow * packed.x + x * stride.x) * elements,
            tap_offsets: offsets, taps: Int32(pass.tapOffsets.count), inputs: Int32(elements),
            voxel_step: Int32(stride.x * elements), voxels: Int32(voxels),
            blocks: Int32(blocks.count), accumulate: index == 0 ? 0 : 1,
            weights: weights, weight_block_step: elementsPerVoxel * taps * Self.block,
            output: target + block * output.blockStep + (line + x * step.x) * Self.block,
            output_block_step: output.blockStep, output_voxel_step: step.x * Self.block,
            streams: isLast && task.streams ? 1 : 0,
            moments: isLast ? task.moments.map { $0 + block * momentGroups } : nil,
            moments_step: momentGroups)
          direct(&tile)
          x += voxels
        }
      }
    }
  }
}
