// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// Makes what is pending on a convolution's output where it does not depend on the case: batch norm with
/// constant statistics, or a bias alone.
struct ChannelAffine: Instruction {
  /// The statistics of batch norm.
  struct Running: Sendable {
    let mean: [Float]
    let variance: [Float]
    let eps: Double
  }

  let name: String
  let channels: Int
  let running: Running?
  /// γ and β, where there are any, and the convolution's bias.
  let weight: ChannelValues?
  let bias: ChannelValues?
  let convolutionBias: ChannelValues?
  let pending: Pending
  let statistics: NormStatistics

  var algorithm: String { "affine" }
  var buffers: [Buffer] { [pending.scale, pending.shift] + statistics.buffers }

  func run(_ context: RunContext) {
    let memory = context.memory
    for channel in 0..<channels {
      let inverse = running.map { 1 / (Double($0.variance[channel]) + $0.eps).squareRoot() } ?? 1
      // The raw values have no bias yet.
      let offset = Double(convolutionBias?[channel] ?? 0)
      let mean = Double(running?.mean[channel] ?? 0) - offset
      let scale = Double(weight?[channel] ?? 1) * inverse
      memory[statistics.mean][channel] = Float(mean)
      memory[statistics.inverse][channel] = Float(inverse)
      memory[pending.scale][channel] = Float(scale)
      memory[pending.shift][channel] = Float(Double(bias?[channel] ?? 0) - mean * scale)
    }
  }
}
