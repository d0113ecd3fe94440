// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// The gradient of what a convolution reads: a convolution of outputs' gradients with transposed weights, for every
/// class of voxels the taps that reach it.
struct InputGradient: JointInstruction {
  private static let block = TensorLayout.blockWidth
  /// Taps, of one output block or of several, that a register tile takes in one go, at most.
  private static let tapsPerPass = 32

  /// Voxels that meet outputs by the same taps.
  private struct VoxelClass: Sendable {
    let z, y, x: InputGradientAxis.Class
    /// In the order of the state dict.
    let taps: [Int]
    /// Of all classes before it.
    let tapsBefore: Int
    /// Output blocks that a register tile takes in one go.
    let blocksPerPass: Int
    /// Of a pass, how far its inputs lie beyond the first one's; output block by output block.
    let offsets: [Int32]
  }

  let name: String
  let geometry: ConvolutionGeometry
  /// Of what the convolution wrote.
  let gradient: Activation
  /// Of what it read.
  let output: Activation
  let accumulates: Bool
  let kernels: Kernels
  private let weights: TurnedWeights
  private let threads: Int
  private let classes: [VoxelClass]
  /// Gradients with zeros around, `[output block][z][y][x][16]`.
  private let padded: Extent3
  private let before: Extent3
  private let scratch: Buffer

  init(
    name: String, geometry: ConvolutionGeometry, gradient: Activation, output: Activation,
    accumulates: Bool, weight: TrainedParameters.Entry, parameters: TrainedParameters,
    target: Target, buffers: inout Buffers
  ) {
    self.name = name
    self.geometry = geometry
    self.gradient = gradient
    self.output = output
    self.accumulates = accumulates
    kernels = target.kernels
    threads = target.threads
    let (input, positions, kernel) = (geometry.input, geometry.positions, geometry.kernel)
    let (step, padding) = (geometry.stride, geometry.padding)
    let (z, y, x) = (
      InputGradientAxis(
        inputs: input.z, outputs: positions.z, kernel: kernel.z, stride: step.z,
        padding: padding.z),
      InputGradientAxis(
        inputs: input.y, outputs: positions.y, kernel: kernel.y, stride: step.y,
        padding: padding.y),
      InputGradientAxis(
        inputs: input.x, outputs: positions.x, kernel: kernel.x, stride: step.x,
        padding: padding.x)
    )
    before = Extent3(z: z.before, y: y.before, x: x.before)
    let around = Extent3(z: z.after, y: y.after, x: x.after).combined(with: before, +)
    padded = positions.combined(with: around, +)
    var classes: [VoxelClass] = []
    var tapsBefore = 0
    for (own, row, voxel) in z.classes.flatMap({ own in
      y.classes.flatMap { row in x.classes.map { (own, row, $0) } }
    }) {
      var taps: [Int] = []
      var offsets: [Int] = []
      for plane in own.taps {
        for line in row.taps {
          for place in voxel.taps {
            taps.append((plane.tap * kernel.y + line.tap) * kernel.x + place.tap)
            offsets.append(
              ((plane.offset * padded.y + line.offset) * padded.x + place.offset) * Self.block)
          }
        }
      }
      let blockStep = padded.count * Self.block
      let blocksPerPass = max(1, Self.tapsPerPass / max(taps.count, 1))
      classes.append(
        VoxelClass(
          z: own, y: row, x: voxel, taps: taps, tapsBefore: tapsBefore,
          blocksPerPass: blocksPerPass,
          offsets: (0..<blocksPerPass).flatMap { number in
            offsets.map { Int32(number * blockStep + $0) }
          }))
      tapsBefore += taps.count
    }
    self.classes = classes
    weights = TurnedWeights(
      weight: weight, parameters: parameters, kernels: target.kernels, taps: classes.map(\.taps))
    scratch = buffers.reserve(gradient.blocks * padded.count * Self.block)
  }

  var algorithm: String { "input gradient" }
  var flops: Double { geometry.flops }
  var buffers: [Buffer] { [gradient.buffer, output.buffer, scratch] }

  func run(_ cases: [RunContext]) {
    guard let team = cases.first?.team else { return }
    pad(cases, team)
    let turned = weights.pointer(team)
    if !accumulates, classes.contains(where: \.taps.isEmpty) {
      for context in cases {
        context.memory[output].update(repeating: 0, count: output.blocks * output.blockStep)
      }
    }
    let groupBlocks = Int(kernels.pointee.direct_blocks)
    let groups = (output.blocks + groupBlocks - 1) / groupBlocks
    // Planes only as far as threads need them: every task reads its blocks' weights.
    let wanted = threads == 1 ? 1 : 4 * threads
    let tasks = classes.filter { !$0.taps.isEmpty }.flatMap { own in
      let parts = min(own.z.count, (wanted + groups - 1) / groups)
      return (0..<groups * parts).map { index in
        let (first, part) = (index / parts * groupBlocks, index % parts)
        return (
          own: own, blocks: first..<min(first + groupBlocks, output.blocks),
          planes: part * own.z.count / parts..<(part + 1) * own.z.count / parts
        )
      }
    }
    team.forEach(tasks.count) { index, _ in
      let task = tasks[index]
      convolve(task.own, blocks: task.blocks, planes: task.planes, turned, cases)
    }
  }

  private func convolve(
    _ own: VoxelClass, blocks: Range<Int>, planes: Range<Int>, _ turned: UnsafePointer<Float>,
    _ cases: [RunContext]
  ) {
    let block = Self.block
    let (extent, step) = (output.extent, geometry.stride)
    let weightStep = weights.blockStep
    let weights =
      turned + blocks.lowerBound * weightStep + own.tapsBefore * gradient.blocks * block * block
    own.offsets.withUnsafeBufferPointer { offsets in
      guard let offsets = offsets.baseAddress else { return }
      for first in stride(from: 0, to: gradient.blocks, by: own.blocksPerPass) {
        let count = min(own.blocksPerPass, gradient.blocks - first)
        let rows = planes.count * own.y.count
        // All cases, while these weights are near.
        for position in 0..<cases.count * rows {
          let memory = cases[position / rows].memory
          let source = memory[scratch]
          let target = memory[output] + blocks.lowerBound * output.blockStep
          let (plane, row) = (
            planes.lowerBound + position % rows / own.y.count, position % own.y.count
          )
          let line =
            (own.z.first + plane * step.z) * extent.y + own.y.first + row * step.y
          let place = ((plane + before.z) * padded.y + row + before.y) * padded.x + before.x
          let input = source + (first * padded.count + place) * block
          var job = nn_input_gradient(
            convolution: nn_direct_tile(
              input: input, tap_offsets: offsets, taps: Int32(count * own.taps.count),
              inputs: Int32(block), voxel_step: Int32(block), voxels: Int32(own.x.count),
              blocks: Int32(blocks.count), accumulate: accumulates || first > 0 ? 1 : 0,
              weights: weights + first * own.taps.count * block * block,
              weight_block_step: weightStep, output: target, output_block_step: 0,
              output_voxel_step: 0, streams: 0, moments: nil, moments_step: 0),
            target: target + (line * extent.x + own.x.first) * block,
            target_step: step.x * block, target_block_step: output.blockStep)
          kernels.pointee.input_gradient(&job)
        }
      }
    }
  }

  // MARK: - What is read

  /// Puts zeros around the gradients.
  private func pad(_ cases: [RunContext], _ team: ThreadTeam) {
    let (block, extent) = (Self.block, gradient.extent)
    let planes = gradient.blocks * padded.z
    team.forEach(cases.count * planes) { index, _ in
      let memory = cases[index / planes].memory
      let values = memory[gradient]
      let (channels, z) = (index % planes / padded.z, index % padded.z - before.z)
      let plane = memory[scratch] + index % planes * padded.y * padded.x * block
      plane.update(repeating: 0, count: padded.y * padded.x * block)
      guard (0..<extent.z).contains(z) else { return }
      for y in 0..<extent.y {
        (plane + ((y + before.y) * padded.x + before.x) * block).update(
          from: values + channels * gradient.blockStep + (z * extent.y + y) * extent.x * block,
          count: extent.x * block)
      }
    }
  }
}
