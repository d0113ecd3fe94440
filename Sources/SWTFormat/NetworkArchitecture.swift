// SPDX-License-Identifier: Apache-2.0
/// The shape of a network: everything its parameters' names and shapes follow from.
///
/// Axis order is `[z, y, x]` (2-D: `[y, x]`) after `transpose_forward`, as in nnU-Net's plans.
/// Names are those of dynamic_network_architectures (`PlainConvUNet`, `ResidualEncoderUNet`, `Primus`), of
/// STU-Net and of MONAI (`DynUNet`).
public struct NetworkArchitecture: Sendable, Equatable {
  /// Which network class it is: one of nnU-Net's U-Nets, or another family.
  package enum NetworkClass: String, Sendable, CaseIterable {
    /// Stacked convolutions in every stage (nnU-Net v1's `Generic_UNet` is one, under other names).
    case plainConvUNet = "PlainConvUNet"
    /// Residual blocks in the encoder, stacked convolutions in the decoder.
    case residualEncoderUNet = "ResidualEncoderUNet"
    /// Residual blocks in both; in the decoder `BasicBlockD`. From version 1.1 of the format on.
    case residualUNet = "ResidualUNet"
    /// Residual blocks whose skips are strided convolutions.
    case stuNet = "STUNet"
    /// MONAI's, of plain or residual blocks.
    case dynUNet = "DynUNet"
    /// A transformer over patches of the input.
    case primus = "Primus"

    /// Whether it is of another family than nnU-Net's U-Nets.
    package var isFamily: Bool {
      switch self {
      case .plainConvUNet, .residualEncoderUNet, .residualUNet: false
      case .stuNet, .dynUNet, .primus: true
      }
    }

    /// What its stages may be made of.
    package var blocks: [BlockKind] {
      switch self {
      case .plainConvUNet: [.convolution]
      case .residualEncoderUNet, .residualUNet: [.basic, .bottleneck]
      case .stuNet: [.basicRes]
      case .dynUNet: [.unetBasic, .unetRes]
      case .primus: [.eva]
      }
    }

    /// Whether the encoder's stages are nnU-Net's residual blocks behind a stem.
    package var isResidual: Bool { self == .residualEncoderUNet || self == .residualUNet }
  }

  /// One resolution of the encoder.
  package struct Stage: Sendable, Equatable {
    /// Output channels: an entry of `features_per_stage`.
    package var features: Int
    /// Kernel size per axis; odd.
    package var kernelSize: [Int]
    /// Stride per axis of the stage's first convolution.
    package var stride: [Int]
    /// `n_conv_per_stage` or `n_blocks_per_stage`.
    package var blocks: Int
    /// Width of the 3×3×3 convolution inside a bottleneck block; `nil` for other kinds of block.
    package var bottleneckChannels: Int?

    /// Creates a stage.
    package init(
      features: Int, kernelSize: [Int], stride: [Int], blocks: Int, bottleneckChannels: Int? = nil
    ) {
      self.features = features
      self.kernelSize = kernelSize
      self.stride = stride
      self.blocks = blocks
      self.bottleneckChannels = bottleneckChannels
    }
  }

  /// What a stage's blocks are.
  package enum BlockKind: String, Sendable, CaseIterable {
    /// `StackedConvBlocks`: convolution, norm, nonlinearity.
    case convolution = "ConvDropoutNormReLU"
    /// `BasicBlockD`: two convolutions and a skip.
    case basic = "BasicBlockD"
    /// `BottleneckD`: 1×1, k×k, 1×1 convolutions and a skip.
    case bottleneck = "BottleneckD"
    /// STU-Net's: two convolutions, and a skip that is a strided convolution in a stage's first block.
    case basicRes = "BasicResBlock"
    /// MONAI's: two convolutions.
    case unetBasic = "UnetBasicBlock"
    /// MONAI's: two convolutions, and a skip that is a strided convolution with norm where needed.
    case unetRes = "UnetResBlock"
    /// timm's: attention and an MLP.
    case eva = "EvaBlock"
  }

  /// How features are normalised between convolution and nonlinearity.
  package struct Normalization: Sendable, Equatable {
    /// Statistics of the sample at hand, or those of training.
    package enum Kind: String, Sendable, CaseIterable {
      /// `InstanceNorm2d/3d` without running statistics.
      case instance = "InstanceNorm"
      /// `BatchNorm2d/3d` in evaluation mode.
      case batch = "BatchNorm"
    }
    /// Which normalisation.
    package var kind: Kind
    /// Added to the variance.
    package var eps: Double
    /// Whether there are learned scale and shift (`norm.weight`, `norm.bias`).
    package var affine: Bool

    /// Creates a normalisation.
    package init(kind: Kind, eps: Double, affine: Bool) {
      self.kind = kind
      self.eps = eps
      self.affine = affine
    }
  }

  /// The activation function.
  package struct Nonlinearity: Sendable, Equatable {
    /// Which function.
    package enum Kind: String, Sendable, CaseIterable {
      /// `x` for `x ≥ 0`, else `negativeSlope · x`.
      case leakyReLU = "LeakyReLU"
      /// `max(x, 0)`.
      case reLU = "ReLU"
    }
    /// Which function.
    package var kind: Kind
    /// The slope below zero; 0 for `ReLU`.
    package var negativeSlope: Double

    /// Creates a nonlinearity.
    package init(kind: Kind, negativeSlope: Double) {
      self.kind = kind
      self.negativeSlope = negativeSlope
    }
  }

  /// The decoder, from the lowest resolution up; kept only with `--part network`.
  package struct Decoder: Sendable, Equatable {
    /// One resolution of the decoder.
    package struct Stage: Sendable, Equatable {
      /// Output channels.
      package var features: Int
      /// Kernel size of its convolutions (v2: that of the skip's stage; v1: of the stage below).
      package var kernelSize: [Int]
      /// Kernel and stride of the transposed convolution in front.
      package var upsampling: [Int]
      /// Number of convolutions: an entry of `n_conv_per_stage_decoder`.
      package var convolutions: Int

      /// Creates a decoder stage.
      package init(features: Int, kernelSize: [Int], upsampling: [Int], convolutions: Int) {
        self.features = features
        self.kernelSize = kernelSize
        self.upsampling = upsampling
        self.convolutions = convolutions
      }
    }
    /// Lowest resolution first, as in `decoder.stages`.
    package var stages: [Stage]
    /// Output channels of every `decoder.seg_layers`.
    package var segmentationHeads: Int
    /// Whether the transposed convolutions have a bias (v2: as `conv_bias`; v1: no).
    package var upsamplingBias: Bool
    /// Whether the segmentation layers have a bias (v2: yes; v1: no).
    package var segmentationBias: Bool

    /// Creates a decoder.
    package init(
      stages: [Stage], segmentationHeads: Int, upsamplingBias: Bool, segmentationBias: Bool
    ) {
      self.stages = stages
      self.segmentationHeads = segmentationHeads
      self.upsamplingBias = upsamplingBias
      self.segmentationBias = segmentationBias
    }
  }

  /// Which network class.
  package var networkClass: NetworkClass
  /// Number of spatial axes: 2 or 3.
  public package(set) var dimension: Int
  /// Channels of the input, a cascade's one-hot segmentation included.
  public package(set) var inputChannels: Int
  /// Channels of the residual encoder's stem; `nil` for plain networks.
  package var stemChannels: Int?
  /// The encoder's stages, highest resolution first.
  package var stages: [Stage]
  /// What the encoder's stages are made of.
  package var block: BlockKind
  /// Whether convolutions have a bias (projections of residual skips never do).
  package var convolutionBias: Bool
  /// The normalisation after every convolution.
  package var normalization: Normalization
  /// The activation.
  package var nonlinearity: Nonlinearity
  /// The decoder, where the file keeps it.
  package var decoder: Decoder?
  /// What a `primus` has besides its one stage, the map of its tokens.
  package var transformer: Transformer?

  /// Creates an architecture.
  package init(
    networkClass: NetworkClass, dimension: Int, inputChannels: Int, stemChannels: Int? = nil,
    stages: [Stage], block: BlockKind, convolutionBias: Bool, normalization: Normalization,
    nonlinearity: Nonlinearity, decoder: Decoder? = nil, transformer: Transformer? = nil
  ) {
    self.networkClass = networkClass
    self.dimension = dimension
    self.inputChannels = inputChannels
    self.stemChannels = stemChannels
    self.stages = stages
    self.block = block
    self.convolutionBias = convolutionBias
    self.normalization = normalization
    self.nonlinearity = nonlinearity
    self.decoder = decoder
    self.transformer = transformer
  }

  /// `features_per_stage`; its last entry is the width of the pooled features.
  public var featuresPerStage: [Int] { stages.map(\.features) }

  /// Whether a decoder that undoes the strides between stages makes logits of the input's size, and not of the
  /// first stage's.
  package var decodesToInput: Bool {
    transformer != nil || stages[0].stride.allSatisfy { $0 == 1 }
  }

  /// The product of all strides per axis: residual encoders need input sizes divisible by it.
  public var totalStride: [Int] {
    (0..<dimension).map { axis in stages.reduce(1) { $0 * $1.stride[axis] } }
  }
}
