internal import CKernels

/// A convolution; for instance norm also the statistics that make its output's pending norm.
struct ConvolutionStep: Step {
  let name: String
  let geometry: ConvolutionGeometry
  let convolution: any ConvolutionAlgorithm
  let source: ConvolutionSource
  let output: Activation
  /// Memory for what the convolution's threads share.
  let scratch: ArenaRange
  /// What instance norm needs; `nil` for batch norm, whose pending norm is known beforehand.
  let instanceNorm: InstanceNorm?

  var algorithm: String { convolution.name }
  var flops: Double { geometry.flops }
  var workspaceCount: Int { convolution.workspaceCount }
  var weightByteCount: Int { convolution.weightByteCount }

  func prepare() { convolution.prepare() }

  func run(_ context: RunContext) {
    var context = context
    context.scratch = scratch
    convolution.run(source, into: output, context: context)
    instanceNorm?.prepare(output, context: context)
  }
}

/// Makes the pending scale and shift of an instance norm from the statistics of what it normalises.
///
/// Source: `torch.nn.InstanceNorm3d` without running statistics: biased variance over all voxels of
/// a channel. The convolution's bias is left out, since the mean takes it away again.
struct InstanceNorm: Sendable {
  /// γ and β, padded to whole blocks; ones and zeros where the norm is not affine.
  let weight: [Float]
  let bias: [Float]
  let eps: Double
  let pending: Pending
  let kernels: UnsafePointerBox
  /// Partial sums, two floats' room per double: `[block][chunk][sums, squares][16]`.
  let partials: ArenaRange

  /// Voxels per chunk of a channel block; the chunks do not depend on the number of threads.
  private static let chunkVoxels = 16_384
  private static let block = Int(NN_BLOCK)

  private static func chunks(_ extent: Extent3) -> Int {
    (extent.count + chunkVoxels - 1) / chunkVoxels
  }

  /// Floats that the partial sums of an output take.
  static func partialCount(channels: Int, extent: Extent3) -> Int {
    4 * chunks(extent)
      * Activation.floatCount(channels: channels, extent: Extent3(z: 1, y: 1, x: 1))
  }

  /// One pass over the output. Distances are taken from each channel's first voxel, which lies within
  /// some deviations of the mean: so nothing cancels, however large the mean is.
  func prepare(_ output: Activation, context: RunContext) {
    let chunks = Self.chunks(output.extent)
    let values = context.arena[output.range]
    // Arena ranges start on 256-byte boundaries, and this one holds doubles only.
    let partials = UnsafeMutableRawPointer(context.arena[partials])
      .assumingMemoryBound(to: Double.self)
    context.team.forEach(output.blocks * chunks) { index, _ in
      let (block, chunk) = (index / chunks, index % chunks)
      let start = chunk * Self.chunkVoxels
      let first = values + block * output.blockStep
      kernels.pointee.moments(
        first + start * Self.block, min(Self.chunkVoxels, output.extent.count - start), first,
        partials + 2 * index * Self.block)
    }
    let scale = context.arena[pending.scale]
    let shift = context.arena[pending.shift]
    let count = Double(output.extent.count)
    for channel in 0..<output.channels {
      let (block, lane) = (channel / Self.block, channel % Self.block)
      var sum = 0.0
      var squares = 0.0
      for chunk in 0..<chunks {
        let at = 2 * (block * chunks + chunk) * Self.block + lane
        sum += partials[at]
        squares += partials[at + Self.block]
      }
      let distance = sum / count
      let variance = max(0, squares / count - distance * distance)
      let mean = Double(values[block * output.blockStep + lane]) + distance
      let factor = Double(weight[channel]) / (variance + eps).squareRoot()
      scale[channel] = Float(factor)
      shift[channel] = Float(Double(bias[channel]) - mean * factor)
    }
  }
}
