internal import CKernels
internal import SWTFormat

/// Convolution as it is defined, with register tiles over voxels and output channels.
///
/// A task takes some output rows of one plane or several: it packs the input rows they need once, halo
/// and pending activation applied, and then goes through the output blocks; for each, the weights of
/// one input block stay in cache while all tiles of the task use them.
///
/// In bf16 the slab holds pairs of channels, each in the place of a float; else nothing differs.
struct DirectConvolution: ConvolutionAlgorithm {
  private static let block = TensorLayout.blockWidth
  /// Taps, of one input block or of several, that a register tile takes in one go.
  private static let tapsPerPass = 32

  private let geometry: ConvolutionGeometry
  private let kernels: Kernels
  private let weights: PackedWeights
  private let threads: Int
  /// Weights and kernels in bf16; `nil` for f32.
  private let paired: PairedWeights?
  private let blocking: DirectBlocking
  /// Floats, or pairs, of a packed voxel in a full input block and in the last, narrower one.
  private let elements: [Int]
  /// In all input blocks together.
  private let elementsPerVoxel: Int
  /// Full input blocks whose sums stay in registers: small kernels would else spend their time on
  /// loading and storing them.
  private let blocksPerPass: Int
  /// Where the taps of a pass lie, for full input blocks and for the last, narrower one.
  private let tapOffsets: [[Int32]]
  /// Voxels of a row's tiles, nearly equal.
  private let tiles: [Int]

  var name: String { paired == nil ? "direct" : "direct bf16" }
  var weightByteCount: Int { paired?.byteCount ?? 0 }
  var scratchCount: Int { paired == nil ? weights.roomCount : 0 }

  func prepare() {
    paired?.prepare(widening: kernels, threads: threads)
  }

  init(
    _ geometry: ConvolutionGeometry, weights: PackedWeights, kernels: Kernels, threads: Int
  ) {
    self.init(geometry, weights: weights, paired: nil, kernels: kernels, threads: threads)
  }

  /// In bf16.
  init(
    _ geometry: ConvolutionGeometry, weights: PackedWeights, bf16: nn_bf16_kernels,
    kernels: Kernels, threads: Int
  ) throws(RuntimeError) {
    self.init(
      geometry, weights: weights, paired: try PairedWeights(weights, bf16: bf16),
      kernels: kernels, threads: threads)
  }

  private init(
    _ geometry: ConvolutionGeometry, weights: PackedWeights,
    paired: PairedWeights?, kernels: Kernels, threads: Int
  ) {
    self.geometry = geometry
    self.paired = paired
    self.weights = weights
    self.kernels = kernels
    self.threads = threads
    let output = geometry.output
    let channels = geometry.inputChannels
    let isPaired = paired != nil
    elements = [min(Self.block, channels), channels % Self.block].map {
      isPaired ? Self.block / 2 : $0
    }
    elementsPerVoxel =
      isPaired ? (channels + Self.block - 1) / Self.block * Self.block / 2 : channels
    blocking = DirectBlocking(geometry, elementsPerVoxel: elementsPerVoxel, threads: threads)
    let width = output.x
    let largest = Int(
      paired?.bf16.direct_voxels ?? kernels.pointee.direct_voxels)
    let count = (width + largest - 1) / largest
    tiles = (0..<count).map { ($0 + 1) * width / count - $0 * width / count }
    // Taps' offsets differ between a full input block and the last, narrower one.
    let (packed, full, kernel) = (blocking.packed, elements[0], geometry.kernel)
    blocksPerPass = max(1, Self.tapsPerPass / kernel.count)
    tapOffsets = zip(elements, [blocksPerPass, 1]).map { inputs, blocks in
      (0..<blocks * kernel.count).map { index in
        let (block, tap) = (index / kernel.count, index % kernel.count)
        let (z, y, x) = (tap / (kernel.y * kernel.x), tap / kernel.x % kernel.y, tap % kernel.x)
        return Int32(block * packed.count * full + ((z * packed.y + y) * packed.x + x) * inputs)
      }
    }
  }

  func resized(to input: Extent3) -> any ConvolutionAlgorithm {
    var geometry = geometry
    geometry.input = input
    return DirectConvolution(
      geometry, weights: weights, paired: paired, kernels: kernels, threads: threads)
  }

  var workspaceCount: Int {
    blocking.packed.count * elementsPerVoxel + blocking.packed.x * Self.block
  }

  var momentGroups: Int { blocking.planeTasks(geometry.output.z) * blocking.rowTasks }

  func run(
    _ source: ConvolutionSource, into output: Activation,
    moments: UnsafeMutablePointer<nn_moments>?, context: RunContext
  ) {
    run(
      source, planes: 0..<geometry.output.z, into: output, streams: output.isStreamed,
      moments: moments, context: context)
  }

  /// Computes some planes only; the first of them is the first in `output`.
  ///
  /// - Parameter streams: whether nothing reads the output before it would leave the caches.
  func run(
    _ source: ConvolutionSource, planes: Range<Int>, into output: Activation, streams: Bool,
    moments: UnsafeMutablePointer<nn_moments>? = nil, context: RunContext
  ) {
    guard let paired else {
      return weights.withUnsafePointer(
        room: context.arena[context.scratch], kernels: kernels, team: context.team
      ) { weights in
        run(
          source, planes: planes, weights: weights, into: output, streams: streams,
          moments: moments, context: context)
      }
    }
    run(
      source, planes: planes, weights: paired.pointer, into: output, streams: streams,
      moments: moments, context: context)
  }

  private func run(
    _ source: ConvolutionSource, planes: Range<Int>, weights: UnsafePointer<Float>,
    into output: Activation, streams: Bool, moments: UnsafeMutablePointer<nn_moments>?,
    context: RunContext
  ) {
    let (rowTasks, planesPerTask, rowsPerTask, blocksPerTask) = (
      blocking.rowTasks, blocking.planesPerTask, blocking.rowsPerTask, blocking.blocksPerTask
    )
    let blockTasks = (output.blocks + blocksPerTask - 1) / blocksPerTask
    let target = context.arena[output.range]
    let tasks = blocking.planeTasks(planes.count) * rowTasks * blockTasks
    context.team.forEach(tasks) { chunk, worker in
      let (group, blockTask) = (chunk / blockTasks, chunk % blockTasks)
      let firstPlane = group / rowTasks * planesPerTask
      let firstRow = group % rowTasks * rowsPerTask
      let task = Task(
        planes: planes.lowerBound + firstPlane..<planes.lowerBound
          + min(firstPlane + planesPerTask, planes.count),
        outputPlane: firstPlane,
        rows: firstRow..<min(firstRow + rowsPerTask, geometry.output.y),
        blocks: blockTask * blocksPerTask..<min((blockTask + 1) * blocksPerTask, output.blocks),
        streams: streams, moments: moments.map { $0 + group })
      for block in task.blocks {
        task.moments.map { $0[block * momentGroups] = nn_moments() }
      }
      let slab = context.workspace(of: worker)
      pack(source, task, into: slab, context: context)
      multiply(slab, task, by: weights, into: target, output: output)
    }
  }

  private struct Task {
    var planes: Range<Int>
    /// Where the first plane lies in what is written.
    var outputPlane: Int
    var rows: Range<Int>
    var blocks: Range<Int>
    var streams: Bool
    /// Of the first output block.
    var moments: UnsafeMutablePointer<nn_moments>?
  }

  // MARK: - Packing

  /// Where an input block's rows start in the slab.
  private func slabOffset(_ inputBlock: Int) -> Int {
    blocking.packed.count * inputBlock * elements[0]
  }

  /// Packs the task's input rows: input block by input block, `[z][y][x][inputs]`.
  private func pack(
    _ source: ConvolutionSource, _ task: Task, into slab: UnsafeMutablePointer<Float>,
    context: RunContext
  ) {
    let channels = geometry.inputChannels
    let packed = blocking.packed
    let planesNeeded = (task.planes.count - 1) * geometry.stride.z + geometry.kernel.z
    let rowsNeeded = (task.rows.count - 1) * geometry.stride.y + geometry.kernel.y
    for block in 0..<(channels + Self.block - 1) / Self.block {
      let inputs = min(Self.block, channels - block * Self.block)
      let elements = elements[inputs == min(Self.block, channels) ? 0 : 1]
      for planeOffset in 0..<planesNeeded {
        let z = task.planes.lowerBound * geometry.stride.z - geometry.padding.z + planeOffset
        for rowOffset in 0..<rowsNeeded {
          let y = task.rows.lowerBound * geometry.stride.y - geometry.padding.y + rowOffset
          let row =
            slab + slabOffset(block) + (planeOffset * packed.y + rowOffset) * packed.x * elements
          packRow(
            source, z: z, y: y, block: block, inputs: inputs, elements: elements, into: row,
            aside: slab + workspaceCount - packed.x * Self.block, context: context)
        }
      }
    }
  }

  private func packRow(
    _ source: ConvolutionSource, z: Int, y: Int, block: Int, inputs: Int, elements: Int,
    into row: UnsafeMutablePointer<Float>, aside: UnsafeMutablePointer<Float>, context: RunContext
  ) {
    let (input, packedWidth) = (geometry.input, blocking.packed.x)
    guard (0..<input.z).contains(z), (0..<input.y).contains(y) else {
      row.update(repeating: 0, count: packedWidth * elements)
      return
    }
    let left = geometry.padding.x
    let used = min(input.x, packedWidth - left)
    row.update(repeating: 0, count: left * elements)
    let right = packedWidth - left - used
    (row + (left + used) * elements).update(repeating: 0, count: right * elements)
    let first = row + left * elements
    switch source {
    case .networkInput:
      for channel in 0..<inputs {
        let plane = context.input + (block * Self.block + channel) * input.count
        let line = plane + (z * input.y + y) * input.x
        for x in 0..<used { first[x * inputs + channel] = line[x] }
      }
    case .feature(let feature):
      let line =
        context.arena[feature.activation.range] + block * feature.activation.blockStep
        + (z * input.y + y) * input.x * Self.block
      let pending = feature.pending.kernel(block: block, in: context.arena)
      if let paired {
        // Padding lanes have scale and shift 0.
        kernels.pointee.activate(line, pending, aside, used)
        let narrow = UnsafeMutableRawPointer(first).assumingMemoryBound(to: UInt16.self)
        paired.bf16.narrow(aside, narrow, used * Self.block)
      } else if inputs == Self.block {
        kernels.pointee.activate(line, pending, first, used)
      } else {
        // The last block is narrower than a vector: activate aside, then drop the padding lanes.
        kernels.pointee.activate(line, pending, aside, used)
        for x in 0..<used {
          (first + x * inputs).update(from: aside + x * Self.block, count: inputs)
        }
      }
    }
  }

  // MARK: - Multiplying

  private func multiply(
    _ slab: UnsafeMutablePointer<Float>, _ task: Task, by weights: UnsafePointer<Float>,
    into target: UnsafeMutablePointer<Float>, output: Activation
  ) {
    let direct = paired?.bf16.direct ?? kernels.pointee.direct
    let tileBlocks = Int(
      paired?.bf16.direct_blocks ?? kernels.pointee.direct_blocks)
    let channels = geometry.inputChannels
    let inputBlocks = (channels + Self.block - 1) / Self.block
    let fullBlocks = elements[1] == 0 || paired != nil ? inputBlocks : channels / Self.block
    let taps = geometry.kernel.count
    for block in stride(from: task.blocks.lowerBound, to: task.blocks.upperBound, by: tileBlocks) {
      let blocks = min(tileBlocks, task.blocks.upperBound - block)
      var inputBlock = 0
      while inputBlock < inputBlocks {
        let isFull = inputBlock < fullBlocks
        let passBlocks = isFull ? min(blocksPerPass, fullBlocks - inputBlock) : 1
        let elements = elements[isFull ? 0 : 1]
        let isLast = inputBlock + passBlocks == inputBlocks
        tapOffsets[isFull ? 0 : 1].withUnsafeBufferPointer { offsets in
          guard let offsets = offsets.baseAddress else { return }
          let input = slab + slabOffset(inputBlock)
          for index in 0..<task.planes.count * task.rows.count {
            let (plane, row) = (index / task.rows.count, index % task.rows.count)
            let line =
              ((task.outputPlane + plane) * output.extent.y + task.rows.lowerBound + row)
              * output.extent.x
            let packedRow =
              plane * geometry.stride.z * blocking.packed.y + row * geometry.stride.y
            var x = 0
            for voxels in tiles {
              var tile = nn_direct_tile(
                input: input
                  + (packedRow * blocking.packed.x + x * geometry.stride.x) * elements,
                tap_offsets: offsets, taps: Int32(passBlocks * taps), inputs: Int32(elements),
                voxel_step: Int32(geometry.stride.x * elements), voxels: Int32(voxels),
                blocks: Int32(blocks), accumulate: inputBlock == 0 ? 0 : 1,
                weights: weights
                  + (block * elementsPerVoxel + inputBlock * self.elements[0]) * taps * Self.block,
                weight_block_step: elementsPerVoxel * taps * Self.block,
                output: target + block * output.blockStep + (line + x) * Self.block,
                output_block_step: output.blockStep, streams: isLast && task.streams ? 1 : 0,
                moments: isLast ? task.moments.map { $0 + block * momentGroups } : nil,
                moments_step: momentGroups)
              direct(&tile)
              x += voxels
            }
          }
        }
        inputBlock += passBlocks
      }
    }
  }
}
