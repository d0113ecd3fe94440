// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// The gradient of a convolution's weight: sums over the voxels of all cases of activated inputs times outputs' gradients.
struct WeightGradient: JointInstruction {
  private static let block = TensorLayout.blockWidth
  /// Floats of inputs and gradients that a task goes through with one tap after the other: they have to stay
  /// in the second-level cache.
  private static let chunkFloats = 64 * 1024

  let name: String
  let geometry: ConvolutionGeometry
  let source: Feature
  /// Of what the convolution wrote.
  let gradient: Activation
  let weight: TrainedParameters.Entry
  let parameters: TrainedParameters
  let kernels: Kernels
  private let threads: Int
  private let planar: PlanarInput
  private let scratch: Buffer
  /// Gradients of several cases one after the other, `[block][case][voxel][16]`.
  private let gathered: Buffer

  init(
    name: String, geometry: ConvolutionGeometry, source: Feature, gradient: Activation,
    weight: TrainedParameters.Entry, parameters: TrainedParameters, target: Target,
    buffers: inout Buffers
  ) {
    self.name = name
    self.geometry = geometry
    self.source = source
    self.gradient = gradient
    self.weight = weight
    self.parameters = parameters
    kernels = target.kernels
    threads = target.threads
    planar = PlanarInput(geometry, cases: buffers.cases)
    scratch = buffers.reserveShared(planar.count)
    gathered = buffers.reserveShared(
      buffers.cases > 1 ? buffers.cases * gradient.blocks * gradient.blockStep : 0)
  }

  var algorithm: String { "weight gradient" }
  var flops: Double { geometry.flops }
  var buffers: [Buffer] { source.buffers + [gradient.buffer, scratch, gathered] }

  func run(_ cases: [RunContext]) {
    guard let shared = cases.first else { return }
    let values = shared.memory[scratch]
    planar.pack(source, into: values, kernels: kernels, cases: cases, team: shared.team)
    let sums = Sums(
      planar: values, gradients: gathered(cases),
      gradientBlockStep: cases.count * gradient.extent.count * Self.block,
      rows: cases.count * geometry.positions.z * geometry.positions.y,
      accumulates: parameters.beginGradient(of: weight))
    let groupBlocks = Int(kernels.pointee.direct_blocks)
    let inputBlocks = geometry.inputs.count
    let groups = (gradient.blocks + groupBlocks - 1) / groupBlocks
    let taps = geometry.kernel.count
    // Enough tasks for all threads to end at about the same time.
    let wanted = threads == 1 ? 1 : 4 * threads
    let parts = min(taps, (wanted + groups * inputBlocks - 1) / (groups * inputBlocks))
    shared.team.forEach(groups * inputBlocks * parts) { index, _ in
      // One input block after the other: it is what most is read of, and stays in the cache.
      let (inputBlock, group) = (index / parts / groups, index / parts % groups)
      let part = index % parts
      let first = group * groupBlocks
      add(
        inputBlock: inputBlock, outputBlocks: first..<min(first + groupBlocks, gradient.blocks),
        taps: part * taps / parts..<(part + 1) * taps / parts, sums)
    }
  }

  /// What is multiplied and summed, over the rows of all cases.
  private struct Sums {
    let planar: UnsafePointer<Float>
    let gradients: UnsafePointer<Float>
    let gradientBlockStep: Int
    let rows: Int
    /// Whether the sums are added to others.
    let accumulates: Bool
  }

  private func gathered(_ cases: [RunContext]) -> UnsafePointer<Float> {
    let first = cases[0].memory
    guard cases.count > 1 else { return UnsafePointer(first[gradient]) }
    let target = first[gathered]
    let count = gradient.extent.count * Self.block
    cases[0].team.forEach(gradient.blocks) { block, _ in
      for (number, context) in cases.enumerated() {
        (target + (block * cases.count + number) * count).update(
          from: context.memory[gradient] + block * gradient.blockStep, count: count)
      }
    }
    return UnsafePointer(target)
  }

  private func add(
    inputBlock: Int, outputBlocks: Range<Int>, taps: Range<Int>, _ sums: Sums
  ) {
    let (block, width) = (Self.block, geometry.positions.x)
    let layout = PackedLayout(shape: weight.shape)
    let target = parameters.gradient(weight)
    let gradients = sums.gradients + outputBlocks.lowerBound * sums.gradientBlockStep
    let perRow = planar.floatsPerRow + outputBlocks.count * width * block
    let rowsPerChunk = max(1, Self.chunkFloats / perRow)
    planar.rowOffsets.withUnsafeBufferPointer { offsets in
      guard let offsets = offsets.baseAddress else { return }
      for first in stride(from: 0, to: sums.rows, by: rowsPerChunk) {
        for tap in taps {
          var job = nn_weight_gradient(
            planar: sums.planar + planar.offset(block: inputBlock, tap: tap),
            channel_step: Int32(planar.pitch), row_offsets: offsets + first,
            rows: Int32(min(rowsPerChunk, sums.rows - first)), width: Int32(width),
            inputs: Int32(geometry.inputs.widths[inputBlock]), blocks: Int32(outputBlocks.count),
            gradients: gradients + first * width * block,
            gradient_block_step: sums.gradientBlockStep,
            target: target
              + layout.laneIndex(
                block: outputBlocks.lowerBound, input: inputBlock * block, tap: tap),
            target_block_step: layout.inputs * layout.taps * block,
            accumulate: sums.accumulates || first > 0 ? 1 : 0)
          kernels.pointee.weight_gradient(&job)
        }
      }
    }
  }
}
