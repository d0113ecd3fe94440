internal import CKernels

/// A convolution; for instance norm also the statistics that make its output's pending norm.
struct ConvolutionStep: Step {
  let name: String
  let geometry: ConvolutionGeometry
  let convolution: any ConvolutionAlgorithm
  let source: ConvolutionSource
  let output: Activation
  /// What instance norm needs; `nil` for batch norm, whose pending norm is known beforehand.
  let instanceNorm: InstanceNorm?

  var algorithm: String { convolution.name }
  var flops: Double { geometry.flops }
  var workspaceCount: Int { convolution.workspaceCount }

  func run(_ context: RunContext) {
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
  /// Partial sums, two floats' room per double: `[block][chunk][16]`.
  let partials: ArenaRange

  /// Voxels per chunk of a channel block; the chunks do not depend on the number of threads.
  private static let chunkVoxels = 16_384
  private static let block = Int(NN_BLOCK)

  private static func chunks(_ extent: Extent3) -> Int {
    (extent.count + chunkVoxels - 1) / chunkVoxels
  }

  /// Floats that the partial sums of an output take.
  static func partialCount(channels: Int, extent: Extent3) -> Int {
    2 * chunks(extent)
      * Activation.floatCount(channels: channels, extent: Extent3(z: 1, y: 1, x: 1))
  }

  /// Two passes, mean first: exact also where the mean is large against the deviation.
  func prepare(_ output: Activation, context: RunContext) {
    let count = Double(output.extent.count)
    let scale = context.arena[pending.scale]
    let shift = context.arena[pending.shift]
    sum(output, context: context) { source, voxels, _, sums in
      kernels.pointee.sum(source, voxels, sums)
    }
    // `shift` holds the means until the variances are known.
    reduce(output, context: context) { channel, total in shift[channel] = Float(total / count) }
    sum(output, context: context) { source, voxels, block, sums in
      kernels.pointee.squared_distances(source, voxels, shift + block * Self.block, sums)
    }
    reduce(output, context: context) { channel, total in
      let deviation = (total / count + eps).squareRoot()
      let factor = Double(weight[channel]) / deviation
      scale[channel] = Float(factor)
      shift[channel] = Float(Double(bias[channel]) - Double(shift[channel]) * factor)
    }
  }

  private func sum(
    _ output: Activation, context: RunContext,
    _ body: (UnsafePointer<Float>, Int, Int, UnsafeMutablePointer<Double>) -> Void
  ) {
    let chunks = Self.chunks(output.extent)
    let values = context.arena[output.range]
    let partials = doubles(context)
    context.team.forEach(output.blocks * chunks) { index, _ in
      let (block, chunk) = (index / chunks, index % chunks)
      let start = chunk * Self.chunkVoxels
      let voxels = min(Self.chunkVoxels, output.extent.count - start)
      body(
        values + block * output.blockStep + start * Self.block, voxels, block,
        partials + index * Self.block)
    }
  }

  /// Adds the chunks' sums in their order.
  private func reduce(
    _ output: Activation, context: RunContext, _ body: (_ channel: Int, _ total: Double) -> Void
  ) {
    let chunks = Self.chunks(output.extent)
    let partials = doubles(context)
    for channel in 0..<output.channels {
      let start = channel / Self.block * chunks * Self.block + channel % Self.block
      var total = 0.0
      for chunk in 0..<chunks { total += partials[start + chunk * Self.block] }
      body(channel, total)
    }
  }

  private func doubles(_ context: RunContext) -> UnsafeMutablePointer<Double> {
    // Arena ranges start on 256-byte boundaries, and this one holds doubles only.
    UnsafeMutableRawPointer(context.arena[partials]).assumingMemoryBound(to: Double.self)
  }
}
