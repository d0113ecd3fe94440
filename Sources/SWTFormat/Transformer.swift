// SPDX-License-Identifier: Apache-2.0
/// The shape of a Primus: what its parameters' names and shapes do not follow from its one stage alone.
///
/// That stage is the map of its image tokens: `features` is `embed_dim`, `kernelSize` and `stride` are
/// `patch_embed_size`, `blocks` is `eva_depth`. The architecture's `stemChannels`, `normalization` and
/// `nonlinearity` are the tokenizer's, where it has blocks of convolutions.
///
/// Source: dynamic_network_architectures `Primus`, `PrimusV2`, `PrimusV3`.
package struct Transformer: Sendable, Equatable {
  /// In which order the map's voxels become tokens.
  package enum TokenOrder: String, Sendable, CaseIterable {
    /// The last axis fastest: dynamic_network_architectures from 0.4.3 on.
    case whd
    /// The first two axes exchanged: older releases, and nnssl.
    case hwd
  }

  /// One level of a tokenizer of residual blocks; each halves the map.
  package struct Level: Sendable, Equatable {
    package var features: Int
    package var blocks: Int

    package init(features: Int, blocks: Int) {
      self.features = features
      self.blocks = blocks
    }
  }

  /// `input_shape`: the one size of the input that it takes.
  package var inputSize: [Int]
  /// `eva_numheads`.
  package var heads: Int
  /// Width inside the MLPs.
  package var hiddenFeatures: Int
  /// `num_register_tokens`.
  package var registers: Int
  /// `use_rot_pos_emb`.
  package var hasRotary: Bool
  /// `use_abs_pos_embed`.
  package var hasPositionEmbedding: Bool
  /// Whether branches are scaled per channel: `init_values` given.
  package var hasLayerScale: Bool
  /// `scale_attn_inner`: a layer norm behind attention.
  package var hasInnerNorm: Bool
  package var tokenOrder: TokenOrder
  /// Of V2 and V3; empty where one convolution makes the tokens.
  package var levels: [Level]
  /// V3's `add_skips`: tokens of every level are added.
  package var hasTokenSkips: Bool

  package init(
    inputSize: [Int], heads: Int, hiddenFeatures: Int, registers: Int = 0, hasRotary: Bool = true,
    hasPositionEmbedding: Bool = true, hasLayerScale: Bool = true, hasInnerNorm: Bool = true,
    tokenOrder: TokenOrder = .whd, levels: [Level] = [], hasTokenSkips: Bool = false
  ) {
    self.inputSize = inputSize
    self.heads = heads
    self.hiddenFeatures = hiddenFeatures
    self.registers = registers
    self.hasRotary = hasRotary
    self.hasPositionEmbedding = hasPositionEmbedding
    self.hasLayerScale = hasLayerScale
    self.hasInnerNorm = hasInnerNorm
    self.tokenOrder = tokenOrder
    self.levels = levels
    self.hasTokenSkips = hasTokenSkips
  }
}

extension NetworkArchitecture {
  /// A Primus.
  package init(
    inputChannels: Int, features: Int, patchSize: [Int], depth: Int, stemChannels: Int? = nil,
    nonlinearity: Nonlinearity = Nonlinearity(kind: .leakyReLU, negativeSlope: 0.01),
    transformer: Transformer
  ) {
    self.init(
      networkClass: .primus, dimension: 3, inputChannels: inputChannels, stemChannels: stemChannels,
      stages: [Stage(features: features, kernelSize: patchSize, stride: patchSize, blocks: depth)],
      block: .eva, convolutionBias: false,
      normalization: Normalization(kind: .instance, eps: 1e-5, affine: true),
      nonlinearity: nonlinearity, transformer: transformer)
  }

  /// Tokens per axis of a Primus' map.
  package var grid: [Int] {
    zip(transformer?.inputSize ?? [], totalStride).map { $0 / $1 }
  }
}

extension NetworkArchitecture.Decoder {
  /// A Primus': transposed convolutions from the tokens up, the last one to the segmentation's heads.
  package init(upProjection layers: [(features: Int, upsampling: [Int])]) {
    self.init(
      stages: layers.map { layer in
        Stage(
          features: layer.features, kernelSize: layer.upsampling, upsampling: layer.upsampling,
          convolutions: 1)
      },
      segmentationHeads: layers.last?.features ?? 0, upsamplingBias: true, segmentationBias: true)
  }
}
