// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Back through a nonlinearity and a norm, in place: from the gradient of what is read to that of what the
/// convolution wrote; adds to the gradients of γ, β and the convolution's bias.
struct NormGradient: JointInstruction {
  let name: String
  /// What the convolution wrote, with what readers apply to it.
  let raw: Feature
  let statistics: NormStatistics
  /// Whether the statistics are constants, and not the case's own.
  let isConstant: Bool
  let gradient: Activation
  let parameters: TrainedParameters
  let weight: TrainedParameters.Entry?
  let bias: TrainedParameters.Entry?
  let convolutionBias: TrainedParameters.Entry?
  /// `[block][chunk][sums, products][16]` doubles, then `[block][means of both][16]` floats.
  let sums: Buffer
  let kernels: Kernels

  private static let chunkVoxels = 8_192

  private static func chunks(_ extent: Extent3) -> Int {
    (extent.count + chunkVoxels - 1) / chunkVoxels
  }

  /// Floats of `sums`.
  static func sumCount(_ raw: Activation) -> Int {
    raw.blocks * (chunks(raw.extent) * 4 + 2) * TensorLayout.blockWidth
  }

  var algorithm: String { "norm backward" }
  var buffers: [Buffer] { raw.buffers + statistics.buffers + [gradient.buffer, sums] }

  /// Sums of all cases, then what is made of them in the cases' order, then their application.
  func run(_ cases: [RunContext]) {
    guard let team = cases.first?.team else { return }
    let tasks = raw.activation.blocks * Self.chunks(raw.activation.extent)
    team.forEach(cases.count * tasks) { index, _ in
      sum(index % tasks, cases[index / tasks].memory)
    }
    for context in cases { finish(context.memory) }
    team.forEach(cases.count * tasks) { index, _ in
      var job = job(index % tasks, cases[index / tasks].memory)
      kernels.pointee.norm_gradient(&job)
    }
  }

  /// The sums of a block's chunk.
  private func sums(_ index: Int, _ memory: Memory) -> UnsafeMutablePointer<Double> {
    // Buffers start on 256-byte boundaries, and whole doubles lie before the floats.
    UnsafeMutableRawPointer(memory[sums]).assumingMemoryBound(to: Double.self)
      + index * 2 * TensorLayout.blockWidth
  }

  /// The means of a block.
  private func means(_ channelBlock: Int, _ memory: Memory) -> UnsafeMutablePointer<Float> {
    let doubles = raw.activation.blocks * Self.chunks(raw.activation.extent) * 2
    return memory[sums] + (2 * doubles + 2 * channelBlock) * TensorLayout.blockWidth
  }

  /// - Parameter index: of a block's chunk.
  private func job(_ index: Int, _ memory: Memory) -> nn_norm_gradient {
    let block = TensorLayout.blockWidth
    let activation = raw.activation
    let count = activation.extent.count
    let chunks = Self.chunks(activation.extent)
    let (channelBlock, chunk) = (index / chunks, index % chunks)
    let start = chunk * Self.chunkVoxels
    let own = means(channelBlock, memory)
    let target = memory[gradient] + channelBlock * gradient.blockStep + start * block
    return nn_norm_gradient(
      raw: memory[activation] + channelBlock * activation.blockStep + start * block,
      gradient: target, voxels: min(Self.chunkVoxels, count - start),
      pending: raw.pending.kernel(block: channelBlock, in: memory),
      mean: memory[statistics.mean] + channelBlock * block,
      inverse: memory[statistics.inverse] + channelBlock * block,
      mean_gradient: own, mean_product: own + block, target: target)
  }

  private func sum(_ index: Int, _ memory: Memory) {
    var job = job(index, memory)
    let own = sums(index, memory)
    own.update(repeating: 0, count: 2 * TensorLayout.blockWidth)
    kernels.pointee.norm_gradient_sums(&job, own, own + TensorLayout.blockWidth)
  }

  /// In the order of the chunks, whichever thread summed them.
  private func finish(_ memory: Memory) {
    let block = TensorLayout.blockWidth
    let chunks = Self.chunks(raw.activation.extent)
    let count = Double(raw.activation.extent.count)
    for channelBlock in 0..<raw.activation.blocks {
      for lane in 0..<block {
        var (sum, product) = (0.0, 0.0)
        for chunk in 0..<chunks {
          let own = sums(channelBlock * chunks + chunk, memory)
          sum += own[lane]
          product += own[block + lane]
        }
        add(sum, product, channel: channelBlock * block + lane, memory)
        let own = means(channelBlock, memory)
        own[lane] = isConstant ? 0 : Float(sum / count)
        own[block + lane] = isConstant ? 0 : Float(product / count)
      }
    }
  }

  private func add(_ sum: Double, _ product: Double, channel: Int, _ memory: Memory) {
    guard channel < raw.activation.channels else { return }
    if let weight { parameters.gradient(weight)[channel] += Float(product) }
    if let bias { parameters.gradient(bias)[channel] += Float(sum) }
    // Before an instance norm a bias has no effect, and no gradient.
    if let convolutionBias, isConstant {
      let scale = Double(memory[raw.pending.scale][channel])
      parameters.gradient(convolutionBias)[channel] += Float(sum * scale)
    }
  }
}
