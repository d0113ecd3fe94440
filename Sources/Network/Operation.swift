// SPDX-License-Identifier: Apache-2.0
package import SWTFormat

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
  /// Of a vector, or of every token.
  case linear(Linear)
  /// Tokens of the patches of a map, and the sum with other tokens where there is a second input.
  case patchEmbedding(PatchEmbedding)
  /// Register tokens in front, and a learned position added to each.
  case embedding(Embedding)
  /// Layer norm over every token.
  case layerNormalization(LayerNormalization)
  /// Layer norm over the channels of every voxel of a map.
  case channelLayerNormalization(LayerNormalization)
  /// `x · Φ(x)`, exactly.
  case gelu
  /// Of queries, keys and values, of every head each; rotary: with rotary position embedding on a grid.
  case attention(heads: Int, isRotary: Bool)
  /// `x / (1 + exp(−x))`.
  case silu
  /// The product of two values, element by element.
  case multiply
  /// Every token times a vector: layer scale.
  case scale(Parameter)
  /// The map of a grid's tokens; registers are left out.
  case map(Transformer.TokenOrder)

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

  /// `torch.nn.ConvTranspose2d/3d` whose stride is its kernel: every voxel becomes a block of voxels. Or a
  /// 1×1 convolution behind nearest upsampling, which makes all voxels of a block the same.
  package struct TransposedConvolution: Sendable {
    /// `[inputs, outputs, kernel…]`, or `[outputs, inputs, 1…]` where voxels are repeated.
    package let weight: Parameter
    package let bias: Parameter?
    /// How often the 1×1 convolution's voxels are repeated along each axis; `nil` for a kernel.
    package let repeats: [Int]?

    package init(weight: Parameter, bias: Parameter?, repeats: [Int]? = nil) {
      self.weight = weight
      self.bias = bias
      self.repeats = repeats
    }

    package var stride: [Int] { repeats ?? Array(weight.shape.dropFirst(2)) }
    package var outputs: Int { weight.shape[repeats == nil ? 1 : 0] }
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
    case .patchEmbedding(let layer): [layer.weight, layer.bias, layer.scale].compactMap { $0 }
    case .embedding(let embedding):
      [embedding.registers, embedding.positions].compactMap { $0 }
    case .layerNormalization(let norm), .channelLayerNormalization(let norm):
      [norm.weight, norm.bias]
    case .scale(let parameter): [parameter]
    case .leakyReLU, .averagePool, .add, .concatenate, .globalAverage, .attention, .silu, .gelu,
      .multiply, .map:
      []
    }
  }

  /// A convolution whose stride is its kernel, and whose output is a sequence of tokens.
  package struct PatchEmbedding: Sendable {
    /// `[width, inputs, kernel…]`.
    package let weight: Parameter
    package let bias: Parameter
    /// One number that all tokens are multiplied by, of rank 0.
    package let scale: Parameter?
    package let order: Transformer.TokenOrder

    package var kernelSize: [Int] { Array(weight.shape.dropFirst(2)) }
  }

  /// What is known of tokens by their place.
  package struct Embedding: Sendable {
    /// `[1, registers, width]`.
    package let registers: Parameter?
    /// `[1, registers + tokens, width]`.
    package let positions: Parameter?
  }

  /// `torch.nn.LayerNorm` over the last axis of tokens, or the like over the channels of a map.
  package struct LayerNormalization: Sendable {
    package let weight: Parameter
    package let bias: Parameter
    package let eps: Double
  }

  /// `torch.nn.Linear`.
  package struct Linear: Sendable {
    /// `[outputs, inputs]`.
    package let weight: Parameter
    package let bias: Parameter?
  }
}
