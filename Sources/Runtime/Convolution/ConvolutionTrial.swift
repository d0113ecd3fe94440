// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// A single convolution on plain arrays, with memory of its own: what is checked against the definition.
struct ConvolutionTrial {
  let geometry: ConvolutionGeometry
  /// Channels of the maps that it reads; empty for the network's input.
  var maps: [Int]
  /// The nonlinearity pending on what it reads.
  var slope: Float = 0.01
  /// Spare slices to write over the input; 0 for an output of its own.
  var slackSlices = 0

  struct Output {
    /// `[channels][z][y][x]`.
    let values: [Float]
    /// The statistics of every block of 16 channels.
    let moments: [nn_moments]
  }

  /// The sizes of what is written.
  var outputExtent: Extent3 { geometry.positions.combined(with: geometry.voxelStep, *) }

  /// Channels of what is written.
  var outputChannels: Int { geometry.outputChannels / geometry.voxelStep.count }

  /// Runs the convolution that `make` gives on `input`, `[channels][z][y][x]`, with `scale` and `shift`
  /// pending.
  func run(
    input: [Float], scale: [Float], shift: [Float], target: Target,
    make: (ConvolutionOperands, inout Buffers) throws(RuntimeError) -> any ConvolutionInstruction
  ) throws(RuntimeError) -> Output {
    let block = TensorLayout.blockWidth
    var buffers = Buffers()
    var features: [Feature] = []
    for channels in maps {
      let padded = ChannelBlocks([channels]).paddedChannels
      features.append(
        Feature(
          activation: buffers.activation(
            channels: channels, extent: geometry.input, slackSlices: slackSlices),
          pending: Pending(
            scale: buffers.reserve(padded), shift: buffers.reserve(padded), slope: slope)))
    }
    let output =
      slackSlices > 0
      ? features[0].activation.successor(slackSlices)
      : buffers.activation(channels: outputChannels, extent: outputExtent)
    let instruction = try make(
      ConvolutionOperands(
        name: "", geometry: geometry, input: maps.isEmpty ? .network : .features(features),
        output: output), &buffers)
    let step = (instruction.workspaceCount + 63) / 64 * 64
    let workspace = buffers.reserve(step * target.threads)
    let memory = try Memory(
      BufferLayout(buffers, lifetimes: buffers.counts.map { _ in nil }, isGuarded: true))
    fill(features, input: input, scale: scale, shift: shift, in: memory)
    // Another layer's values were there before.
    for buffer in [instruction.operands.scratch, workspace].compactMap({ $0 }) {
      memory[buffer].update(repeating: .nan, count: buffer.count)
    }
    let groups = instruction.momentGroups
    let momentBlocks = geometry.voxelStep.count == 1 ? output.blocks : 0
    var moments = [nn_moments](repeating: nn_moments(), count: momentBlocks * groups)
    instruction.prepare()
    input.withUnsafeBufferPointer { input in
      moments.withUnsafeMutableBufferPointer { moments in
        guard let input = input.baseAddress else { return }
        instruction.convolve(
          moments: momentBlocks > 0 ? moments.baseAddress : nil,
          context: RunContext(
            input: input, memory: memory, team: ThreadTeam(count: target.threads),
            workspace: workspace, workspaceStep: step))
        for block in 0..<momentBlocks {
          moments.baseAddress.map { target.kernels.pointee.combine($0 + block * groups, groups) }
        }
      }
    }
    let count = outputExtent.count
    let values = (0..<outputChannels * count).map { index in
      let (channel, voxel) = (index / count, index % count)
      return memory[output][
        channel / block * output.blockStep + voxel * block + channel % block]
    }
    return Output(values: values, moments: (0..<momentBlocks).map { moments[$0 * groups] })
  }

  private func fill(
    _ features: [Feature], input: [Float], scale: [Float], shift: [Float], in memory: Memory
  ) {
    let (block, voxels) = (TensorLayout.blockWidth, geometry.input.count)
    var channel = 0
    for feature in features {
      let activation = feature.activation
      for own in 0..<activation.channels {
        memory[feature.pending.scale][own] = scale[channel]
        memory[feature.pending.shift][own] = shift[channel]
        let lane = memory[activation] + own / block * activation.blockStep + own % block
        for voxel in 0..<voxels { lane[voxel * block] = input[channel * voxels + voxel] }
        channel += 1
      }
    }
  }
}
