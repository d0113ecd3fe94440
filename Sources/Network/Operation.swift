/// What an operation computes, with the parameters it reads.
package enum Operation: Sendable {
  case convolution(Convolution)
  case transposedConvolution(TransposedConvolution)
  /// Instance or batch norm over the channels of a map.
  case normalization(ChannelNormalization)
  /// `x` for `x ≥ 0`, else `slope · x`.
  case leakyReLU(slope: Double)
  /// The mean over windows that lie side by side.
  case averagePool(window: [Int])
  /// The sum of two maps.
  case add
  /// The channels of several maps, one after the other.
  case concatenate
  /// `AdaptiveAvgPool(1)` and `Flatten`.
  case globalAverage
  case linear(Linear)

  /// `torch.nn.Conv2d/3d` with zeros around the input.
  package struct Convolution: Sendable {
    /// `[outputs, inputs, kernel…]`.
    package let weight: Parameter
    package let bias: Parameter?
    package let stride: [Int]
    /// Zeros on either side, per axis.
    package let padding: [Int]

    package var kernelSize: [Int] { Array(weight.shape.dropFirst(2)) }
  }

  /// `torch.nn.ConvTranspose2d/3d` whose stride is its kernel: every voxel becomes a block of voxels.
  package struct TransposedConvolution: Sendable {
    /// `[inputs, outputs, kernel…]`.
    package let weight: Parameter
    package let bias: Parameter?

    package var stride: [Int] { Array(weight.shape.dropFirst(2)) }
  }

  /// `torch.nn.InstanceNorm` without running statistics, or `BatchNorm` in evaluation mode.
  package struct ChannelNormalization: Sendable {
    package struct RunningStatistics: Sendable {
      package let mean: Parameter
      package let variance: Parameter
    }

    /// `γ` and `β`, where the norm is affine.
    package let weight: Parameter?
    package let bias: Parameter?
    /// Those of batch norm; instance norm takes the sample's own.
    package let running: RunningStatistics?
    package let eps: Double
  }

  /// What it reads, in the order of the state dict.
  package var parameters: [Parameter] {
    switch self {
    case .convolution(let layer): [layer.weight, layer.bias].compactMap { $0 }
    case .transposedConvolution(let layer): [layer.weight, layer.bias].compactMap { $0 }
    case .normalization(let norm):
      [norm.weight, norm.bias, norm.running?.mean, norm.running?.variance].compactMap { $0 }
    case .linear(let layer): [layer.weight, layer.bias].compactMap { $0 }
    case .leakyReLU, .averagePool, .add, .concatenate, .globalAverage: []
    }
  }

  /// `torch.nn.Linear`.
  package struct Linear: Sendable {
    /// `[outputs, inputs]`.
    package let weight: Parameter
    package let bias: Parameter?
  }
}
