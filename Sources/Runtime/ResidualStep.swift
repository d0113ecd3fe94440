internal import CKernels

/// The end of a residual block: `nonlinearity(norm(branch) + skip)`, written over the branch.
struct ResidualStep: Step {
  /// How a skip is had that has been overwritten: computed again from the network's input, some planes
  /// at a time.
  struct Recomputation: Sendable {
    let convolution: DirectConvolution
    let slab: Activation
  }

  let name: String
  let branch: Feature
  /// The skip; of an overwritten one, what is pending.
  let skip: Feature
  let again: Recomputation?
  let kernels: UnsafePointerBox

  private static let chunkVoxels = 4_096

  var algorithm: String { again == nil ? "add" : "add, stem again" }
  var workspaceCount: Int { again?.convolution.workspaceCount ?? 0 }

  func run(_ context: RunContext) {
    let extent = branch.activation.extent
    guard let again else {
      return add(skip.activation, voxels: 0..<extent.count, context: context)
    }
    let planes = again.slab.extent.z
    for first in stride(from: 0, to: extent.z, by: planes) {
      let range = first..<min(first + planes, extent.z)
      again.convolution.run(
        .networkInput, planes: range, into: again.slab, streams: false, context: context)
      let plane = extent.y * extent.x
      add(
        again.slab, voxels: range.lowerBound * plane..<range.upperBound * plane, context: context)
    }
  }

  /// Adds `other`, whose first voxel is the first of `voxels`.
  private func add(_ other: Activation, voxels: Range<Int>, context: RunContext) {
    let activation = branch.activation
    let chunks = (voxels.count + Self.chunkVoxels - 1) / Self.chunkVoxels
    let target = context.arena[activation.range] + voxels.lowerBound * Int(NN_BLOCK)
    let source = context.arena[other.range]
    context.team.forEach(activation.blocks * chunks) { index, _ in
      let (block, chunk) = (index / chunks, index % chunks)
      let start = chunk * Self.chunkVoxels
      let at = target + block * activation.blockStep + start * Int(NN_BLOCK)
      kernels.pointee.add(
        at, branch.pending.kernel(block: block, in: context.arena),
        source + block * other.blockStep + start * Int(NN_BLOCK),
        skip.pending.kernel(block: block, in: context.arena), at,
        min(Self.chunkVoxels, voxels.count - start))
    }
  }
}

/// `AvgPool` with kernel = stride at the start of a residual block's skip.
struct AveragePoolStep: Step {
  let name: String
  let source: Feature
  let output: Activation
  let window: Extent3
  let kernels: UnsafePointerBox

  var algorithm: String { "average pool" }
  var workspaceCount: Int { window.x * output.extent.x * Int(NN_BLOCK) }

  func run(_ context: RunContext) {
    let block = Int(NN_BLOCK)
    let input = source.activation
    let extent = output.extent
    let target = context.arena[output.range]
    let values = context.arena[input.range]
    let factor = 1 / Float(window.count)
    context.team.forEach(output.blocks * extent.z) { index, worker in
      let (channelBlock, z) = (index / extent.z, index % extent.z)
      let pending = source.pending.kernel(block: channelBlock, in: context.arena)
      let row = context.workspace(of: worker)
      for y in 0..<extent.y {
        let line = target + channelBlock * output.blockStep + (z * extent.y + y) * extent.x * block
        line.update(repeating: 0, count: extent.x * block)
        for dz in 0..<window.z {
          for dy in 0..<window.y {
            let plane = (z * window.z + dz) * input.extent.y + y * window.y + dy
            kernels.pointee.activate(
              values + channelBlock * input.blockStep + plane * input.extent.x * block, pending,
              row, extent.x * window.x)
            for x in 0..<extent.x {
              for dx in 0..<window.x {
                for lane in 0..<block {
                  line[x * block + lane] += row[(x * window.x + dx) * block + lane] * factor
                }
              }
            }
          }
        }
      }
    }
  }
}
