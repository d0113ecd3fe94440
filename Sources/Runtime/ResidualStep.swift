internal import CKernels
internal import SWTFormat

/// The end of a residual block: `nonlinearity(norm(branch) + skip)`, written over the branch.
struct ResidualStep: Step {
  /// How a skip is had that has been overwritten: computed again from the network's input, some planes
  /// at a time.
  struct Recomputation: Sendable {
    let convolution: DirectConvolution
    let slab: Activation
    /// What the convolution's threads share.
    let scratch: ArenaRange
  }

  let name: String
  let branch: Feature
  /// The skip; of an overwritten one, what is pending.
  let skip: Feature
  let again: Recomputation?
  let kernels: Kernels

  private static let chunkVoxels = 4_096

  var algorithm: String { again == nil ? "add" : "add, stem again" }
  var workspaceCount: Int { again?.convolution.workspaceCount ?? 0 }

  func run(_ context: RunContext) {
    let extent = branch.activation.extent
    guard let again else {
      return add(skip.activation, voxels: 0..<extent.count, context: context)
    }
    var context = context
    context.scratch = again.scratch
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
    let target = context.arena[activation.range] + voxels.lowerBound * TensorLayout.blockWidth
    let source = context.arena[other.range]
    context.team.forEach(activation.blocks * chunks) { index, _ in
      let (block, chunk) = (index / chunks, index % chunks)
      let start = chunk * Self.chunkVoxels
      let at = target + block * activation.blockStep + start * TensorLayout.blockWidth
      kernels.pointee.add(
        at, branch.pending.kernel(block: block, in: context.arena),
        source + block * other.blockStep + start * TensorLayout.blockWidth,
        skip.pending.kernel(block: block, in: context.arena), at,
        min(Self.chunkVoxels, voxels.count - start), activation.isStreamed ? 1 : 0)
    }
  }
}

/// `AvgPool` with kernel = stride at the start of a residual block's skip.
struct AveragePoolStep: Step {
  let name: String
  let source: Feature
  let output: Activation
  let window: Extent3
  let kernels: Kernels

  var algorithm: String { "average pool" }

  func run(_ context: RunContext) {
    let block = TensorLayout.blockWidth
    let input = source.activation
    let extent = output.extent
    let target = context.arena[output.range]
    let values = UnsafePointer(context.arena[input.range])
    context.team.forEach(output.blocks * extent.z) { index, _ in
      let (channelBlock, z) = (index / extent.z, index % extent.z)
      let first = values + channelBlock * input.blockStep
      for y in 0..<extent.y {
        let rows = (0..<window.z * window.y).map { row in
          let plane = z * window.z + row / window.y
          return first
            + (plane * input.extent.y + y * window.y + row % window.y) * input.extent.x * block
        }
        rows.withUnsafeBufferPointer { rows in
          guard let start = rows.baseAddress else { return }
          var job = nn_average(
            row: start, rows: Int32(rows.count), width: Int32(window.x), voxels: Int32(extent.x),
            pending: source.pending.kernel(block: channelBlock, in: context.arena),
            factor: 1 / Float(window.count),
            target: target + channelBlock * output.blockStep
              + (z * extent.y + y) * extent.x * block)
          kernels.pointee.average(&job)
        }
      }
    }
  }
}
