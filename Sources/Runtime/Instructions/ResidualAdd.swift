// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// The end of a residual block: `nonlinearity(norm(branch) + skip)`.
struct ResidualAdd: Instruction {
  /// Where the skip comes from.
  enum Skip: Sendable {
    case feature(Feature)
    /// It has been overwritten: it is computed again from the network's input, some planes at a time,
    /// into `slab`; and then has this pending.
    case recomputed(any PlaneConvolution, slab: Activation, Pending)

    var pending: Pending {
      switch self {
      case .feature(let feature): feature.pending
      case .recomputed(_, _, let pending): pending
      }
    }
  }

  let name: String
  /// With the nonlinearity's slope.
  let branch: Feature
  let skip: Skip
  /// May be the branch's.
  let output: Activation
  let kernels: Kernels

  private static let chunkVoxels = 4_096

  var algorithm: String {
    if case .recomputed = skip { "add, stem again" } else { "add" }
  }

  var workspaceCount: Int {
    if case .recomputed(let convolution, _, _) = skip { convolution.workspaceCount } else { 0 }
  }

  var buffers: [Buffer] {
    let own = branch.buffers + [output.buffer]
    switch skip {
    case .feature(let feature): return own + feature.buffers
    case .recomputed(let convolution, _, let pending):
      return own + convolution.buffers + [pending.scale, pending.shift]
    }
  }

  func run(_ context: RunContext) {
    let extent = output.extent
    switch skip {
    case .feature(let feature):
      add(feature.activation, voxels: 0..<extent.count, context: context)
    case .recomputed(let convolution, let slab, _):
      let plane = extent.y * extent.x
      for first in stride(from: 0, to: extent.z, by: slab.extent.z) {
        let planes = first..<min(first + slab.extent.z, extent.z)
        convolution.run(planes: planes, streams: false, moments: nil, context: context)
        add(
          slab, voxels: planes.lowerBound * plane..<planes.upperBound * plane, context: context)
      }
    }
  }

  /// Adds `other`, whose first voxel is the first of `voxels`.
  private func add(_ other: Activation, voxels: Range<Int>, context: RunContext) {
    let block = TensorLayout.blockWidth
    let chunks = (voxels.count + Self.chunkVoxels - 1) / Self.chunkVoxels
    let source = context.memory[branch.activation] + voxels.lowerBound * block
    let target = context.memory[output] + voxels.lowerBound * block
    let values = context.memory[other]
    let pending = skip.pending
    context.team.forEach(output.blocks * chunks) { index, _ in
      let (channels, chunk) = (index / chunks, index % chunks)
      let start = chunk * Self.chunkVoxels
      kernels.pointee.add(
        source + channels * branch.activation.blockStep + start * block,
        branch.pending.kernel(block: channels, in: context.memory),
        values + channels * other.blockStep + start * block,
        pending.kernel(block: channels, in: context.memory),
        target + channels * output.blockStep + start * block,
        min(Self.chunkVoxels, voxels.count - start), output.isStreamed ? 1 : 0)
    }
  }
}
