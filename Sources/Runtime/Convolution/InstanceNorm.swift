// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Makes the pending scale and shift of an instance norm from the statistics of what it normalises.
///
/// Source: `torch.nn.InstanceNorm3d` without running statistics: biased variance over all voxels of
/// a channel. The convolution's bias is left out, since the mean takes it away again.
struct InstanceNorm: Sendable {
  /// γ and β, padded to whole blocks; ones and zeros where the norm is not affine.
  let weight: ChannelValues
  let bias: ChannelValues
  let eps: Double
  let pending: Pending
  let kernels: Kernels
  /// The statistics of the convolution's parts, `[block][group]`.
  let statistics: Buffer
  let groups: Int
  /// Where the statistics are kept for the backward pass.
  var saved: NormStatistics?

  var buffers: [Buffer] {
    [statistics, pending.scale, pending.shift] + (saved?.buffers ?? [])
  }

  /// Floats that the statistics of an output take.
  static func floatCount(blocks: Int, groups: Int) -> Int {
    blocks * groups * MemoryLayout<nn_moments>.stride / MemoryLayout<Float>.stride
  }

  func moments(_ memory: Memory) -> UnsafeMutablePointer<nn_moments> {
    // Buffers start on 256-byte boundaries, and this one holds nothing else.
    UnsafeMutableRawPointer(memory[statistics]).assumingMemoryBound(to: nn_moments.self)
  }

  func finish(_ output: Activation, context: RunContext) {
    let moments = moments(context.memory)
    let scale = context.memory[pending.scale]
    let shift = context.memory[pending.shift]
    let block = TensorLayout.blockWidth
    context.team.forEach(output.blocks) { index, _ in
      let total = moments + index * groups
      kernels.pointee.combine(total, groups)
      for lane in 0..<min(block, output.channels - index * block) {
        let channel = index * block + lane
        let deviation = (total.pointee.variance(lane) + eps).squareRoot()
        let factor = Double(weight[channel]) / deviation
        scale[channel] = Float(factor)
        shift[channel] = Float(Double(bias[channel]) - total.pointee.mean(lane) * factor)
        guard let saved else { continue }
        context.memory[saved.mean][channel] = Float(total.pointee.mean(lane))
        context.memory[saved.inverse][channel] = Float(1 / deviation)
      }
    }
  }
}

/// One number per channel, padded to whole blocks.
enum ChannelValues: Sendable {
  case constant([Float])
  /// Of a parameter that training changes.
  case trained(TrainedParameters, TrainedParameters.Entry)

  subscript(channel: Int) -> Float {
    switch self {
    case .constant(let values): values[channel]
    case .trained(let parameters, let entry): parameters.values(entry)[channel]
    }
  }
}

/// What a norm subtracted and multiplied by, per channel, padded to whole blocks with zeros.
struct NormStatistics: Sendable {
  let mean: Buffer
  /// 1 / √(variance + eps).
  let inverse: Buffer

  var buffers: [Buffer] { [mean, inverse] }
}

extension nn_moments {
  /// The mean of one of the 16 channels.
  func mean(_ lane: Int) -> Double {
    withUnsafeBytes(of: mean) {
      $0.load(fromByteOffset: lane * MemoryLayout<Double>.stride, as: Double.self)
    }
  }

  /// The biased variance of one of the 16 channels.
  func variance(_ lane: Int) -> Double {
    withUnsafeBytes(of: squares) {
      $0.load(fromByteOffset: lane * MemoryLayout<Double>.stride, as: Double.self) / count
    }
  }
}
