/// The shape of an nnU-Net network: everything its parameters' names and shapes follow from.
///
/// Axis order is `[z, y, x]` (2-D: `[y, x]`) after `transpose_forward`, as in nnU-Net's plans.
/// Names are those of dynamic_network_architectures: `PlainConvUNet`, `ResidualEncoderUNet`.
public struct NetworkArchitecture: Sendable, Equatable {
  /// Which of nnU-Net's network classes it is.
  public enum NetworkClass: String, Sendable, CaseIterable {
    /// Stacked convolutions in every stage (nnU-Net v1's `Generic_UNet` is one, under other names).
    case plainConvUNet = "PlainConvUNet"
    /// Residual blocks in the encoder, stacked convolutions in the decoder.
    case residualEncoderUNet = "ResidualEncoderUNet"
  }

  /// One resolution of the encoder.
  public struct Stage: Sendable, Equatable {
    /// Output channels: an entry of `features_per_stage`.
    public var features: Int
    /// Kernel size per axis; odd.
    public var kernelSize: [Int]
    /// Stride per axis of the stage's first convolution.
    public var stride: [Int]
    /// `n_conv_per_stage` or `n_blocks_per_stage`.
    public var blocks: Int
    /// Width of the 3×3×3 convolution inside a bottleneck block; `nil` for other kinds of block.
    public var bottleneckChannels: Int?

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
  public enum BlockKind: String, Sendable, CaseIterable {
    /// `StackedConvBlocks`: convolution, norm, nonlinearity.
    case convolution = "ConvDropoutNormReLU"
    /// `BasicBlockD`: two convolutions and a skip.
    case basic = "BasicBlockD"
    /// `BottleneckD`: 1×1, k×k, 1×1 convolutions and a skip.
    case bottleneck = "BottleneckD"
  }

  /// How features are normalised between convolution and nonlinearity.
  public struct Normalization: Sendable, Equatable {
    /// Statistics of the sample at hand, or those of training.
    public enum Kind: String, Sendable, CaseIterable {
      /// `InstanceNorm2d/3d` without running statistics.
      case instance = "InstanceNorm"
      /// `BatchNorm2d/3d` in evaluation mode.
      case batch = "BatchNorm"
    }
    /// Which normalisation.
    public var kind: Kind
    /// Added to the variance.
    public var eps: Double
    /// Whether there are learned scale and shift (`norm.weight`, `norm.bias`).
    public var affine: Bool

    /// Creates a normalisation.
    package init(kind: Kind, eps: Double, affine: Bool) {
      self.kind = kind
      self.eps = eps
      self.affine = affine
    }
  }

  /// The activation function.
  public struct Nonlinearity: Sendable, Equatable {
    /// Which function.
    public enum Kind: String, Sendable, CaseIterable {
      /// `x` for `x ≥ 0`, else `negativeSlope · x`.
      case leakyReLU = "LeakyReLU"
      /// `max(x, 0)`.
      case reLU = "ReLU"
    }
    /// Which function.
    public var kind: Kind
    /// The slope below zero; 0 for `ReLU`.
    public var negativeSlope: Double

    /// Creates a nonlinearity.
    package init(kind: Kind, negativeSlope: Double) {
      self.kind = kind
      self.negativeSlope = negativeSlope
    }
  }

  /// The decoder, from the lowest resolution up; kept only with `--part network`.
  public struct Decoder: Sendable, Equatable {
    /// One resolution of the decoder.
    public struct Stage: Sendable, Equatable {
      /// Output channels.
      public var features: Int
      /// Kernel size of its convolutions (v2: that of the skip's stage; v1: of the stage below).
      public var kernelSize: [Int]
      /// Kernel and stride of the transposed convolution in front.
      public var upsampling: [Int]
      /// Number of convolutions: an entry of `n_conv_per_stage_decoder`.
      public var convolutions: Int

      /// Creates a decoder stage.
      package init(features: Int, kernelSize: [Int], upsampling: [Int], convolutions: Int) {
        self.features = features
        self.kernelSize = kernelSize
        self.upsampling = upsampling
        self.convolutions = convolutions
      }
    }
    /// Lowest resolution first, as in `decoder.stages`.
    public var stages: [Stage]
    /// Output channels of every `decoder.seg_layers`.
    public var segmentationHeads: Int
    /// Whether the transposed convolutions have a bias (v2: as `conv_bias`; v1: no).
    public var upsamplingBias: Bool
    /// Whether the segmentation layers have a bias (v2: yes; v1: no).
    public var segmentationBias: Bool

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
  public var networkClass: NetworkClass
  /// Number of spatial axes: 2 or 3.
  public var dimension: Int
  /// Channels of the input, a cascade's one-hot segmentation included.
  public var inputChannels: Int
  /// Channels of the residual encoder's stem; `nil` for plain networks.
  public var stemChannels: Int?
  /// The encoder's stages, highest resolution first.
  public var stages: [Stage]
  /// What the encoder's stages are made of.
  public var block: BlockKind
  /// Whether convolutions have a bias (projections of residual skips never do).
  public var convolutionBias: Bool
  /// The normalisation after every convolution.
  public var normalization: Normalization
  /// The activation.
  public var nonlinearity: Nonlinearity
  /// The decoder, where the file keeps it.
  public var decoder: Decoder?

  /// Creates an architecture.
  package init(
    networkClass: NetworkClass, dimension: Int, inputChannels: Int, stemChannels: Int? = nil,
    stages: [Stage], block: BlockKind, convolutionBias: Bool, normalization: Normalization,
    nonlinearity: Nonlinearity, decoder: Decoder? = nil
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
  }

  /// `features_per_stage`; its last entry is the width of the pooled features.
  public var featuresPerStage: [Int] { stages.map(\.features) }

  /// The product of all strides per axis: residual encoders need input sizes divisible by it.
  public var totalStride: [Int] {
    (0..<dimension).map { axis in stages.reduce(1) { $0 * $1.stride[axis] } }
  }
}
