// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Layer norm over the channels of every voxel, and a GELU where one follows.
///
/// A task gathers some voxels as rows, so that the norm is that of tokens.
struct ChannelLayerNorm: Instruction {
  private static let voxelsPerTask = 64

  let name: String
  let source: Feature
  /// `[channels]`.
  let weight: Buffer
  let bias: Buffer
  let eps: Float
  let hasGELU: Bool
  /// May be the source's.
  let output: Activation
  let kernels: Kernels

  var algorithm: String { hasGELU ? "layer norm, GELU" : "layer norm" }
  var buffers: [Buffer] { source.buffers + [weight, bias, output.buffer] }
  var workspaceCount: Int { Self.voxelsPerTask * (output.channels + TensorLayout.blockWidth) }

  func run(_ context: RunContext) {
    let (voxels, channels) = (output.extent.count, output.channels)
    let tasks = (voxels + Self.voxelsPerTask - 1) / Self.voxelsPerTask
    context.team.forEach(tasks) { task, worker in
      let first = task * Self.voxelsPerTask
      let count = min(Self.voxelsPerTask, voxels - first)
      let rows = context.workspace(of: worker)
      let line = rows + Self.voxelsPerTask * channels
      gather(first, count, into: rows, line, context)
      var job = nn_layer_norm(
        source: rows, source_row_step: channels, rows: Int32(count), width: Int32(channels),
        eps: eps, weight: context.memory[weight], bias: context.memory[bias], target: rows,
        target_row_step: channels)
      kernels.pointee.layer_norm(&job)
      if hasGELU { kernels.pointee.gelu(rows, rows, count * channels) }
      scatter(rows, first, count, context)
    }
  }

  /// Of some voxels all channels, with what is pending.
  private func gather(
    _ first: Int, _ count: Int, into rows: UnsafeMutablePointer<Float>,
    _ line: UnsafeMutablePointer<Float>, _ context: RunContext
  ) {
    let (block, channels) = (TensorLayout.blockWidth, output.channels)
    for index in 0..<output.blocks {
      kernels.pointee.activate(
        context.memory[source.activation] + index * source.activation.blockStep + first * block,
        source.pending.kernel(block: index, in: context.memory), line, count)
      let width = min(block, channels - index * block)
      for voxel in 0..<count {
        (rows + voxel * channels + index * block).update(from: line + voxel * block, count: width)
      }
    }
  }

  private func scatter(
    _ rows: UnsafeMutablePointer<Float>, _ first: Int, _ count: Int, _ context: RunContext
  ) {
    let (block, channels) = (TensorLayout.blockWidth, output.channels)
    for index in 0..<output.blocks {
      let target = context.memory[output] + index * output.blockStep + first * block
      let width = min(block, channels - index * block)
      for voxel in 0..<count {
        let place = target + voxel * block
        place.update(from: rows + voxel * channels + index * block, count: width)
        for lane in width..<block { place[lane] = 0 }
      }
    }
  }
}
