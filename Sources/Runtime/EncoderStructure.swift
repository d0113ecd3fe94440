internal import SWTFormat

/// A convolution with what follows it: norm, and (mostly) nonlinearity. nnU-Net's
/// `ConvDropoutNormReLU`; dropout does nothing at inference.
struct ConvolutionBlock: Sendable, Equatable {
  /// The path of its parameters: `<path>.conv.weight`, `<path>.norm.weight`, …
  var path: String
  var inputChannels: Int
  var outputChannels: Int
  var kernelSize: [Int]
  var stride: [Int]
  var hasBias: Bool
  /// Whether the nonlinearity follows the norm; not so at the end of a residual branch.
  var isActivated: Bool
}

/// `BasicBlockD` or `BottleneckD`: `nonlinearity(branch(x) + skip(x))`.
struct ResidualBlock: Sendable, Equatable {
  /// The branch: two convolutions, or three in a bottleneck; the last one is not activated.
  var branch: [ConvolutionBlock]
  /// Average pooling (kernel = stride) at the start of the skip, where the block has a stride.
  var pooling: [Int]?
  /// A 1×1 convolution with norm, where the number of channels changes.
  var projection: ConvolutionBlock?
}

/// One stage of an encoder, taken apart.
enum EncoderStage: Sendable, Equatable {
  case plain([ConvolutionBlock])
  case residual([ResidualBlock])
}

/// An encoder, taken apart into its blocks in the order they run. Source:
/// dynamic_network_architectures `PlainConvEncoder`, `ResidualEncoder`.
struct EncoderStructure: Sendable, Equatable {
  var stem: ConvolutionBlock?
  var stages: [EncoderStage]

  init(_ architecture: NetworkArchitecture) {
    let ones = [Int](repeating: 1, count: architecture.dimension)
    var channels = architecture.inputChannels
    stem = nil
    if let stemChannels = architecture.stemChannels, let first = architecture.stages.first {
      stem = ConvolutionBlock(
        path: "encoder.stem.convs.0", inputChannels: channels, outputChannels: stemChannels,
        kernelSize: first.kernelSize, stride: ones, hasBias: architecture.convolutionBias,
        isActivated: true)
      channels = stemChannels
    }
    stages = []
    for (index, stage) in architecture.stages.enumerated() {
      switch architecture.block {
      case .convolution:
        stages.append(
          .plain(
            (0..<stage.blocks).map { block in
              ConvolutionBlock(
                path: "encoder.stages.\(index).0.convs.\(block)",
                inputChannels: block == 0 ? channels : stage.features,
                outputChannels: stage.features, kernelSize: stage.kernelSize,
                stride: block == 0 ? stage.stride : ones, hasBias: architecture.convolutionBias,
                isActivated: true)
            }))
      case .basic, .bottleneck:
        stages.append(
          .residual(
            (0..<stage.blocks).map { block in
              ResidualBlock(
                path: "encoder.stages.\(index).blocks.\(block)",
                inputChannels: block == 0 ? channels : stage.features,
                stage: stage, stride: block == 0 ? stage.stride : ones,
                hasBias: architecture.convolutionBias)
            }))
      }
      channels = stage.features
    }
  }

  /// All convolution blocks in the order of the state dict.
  var convolutions: [ConvolutionBlock] {
    var result = stem.map { [$0] } ?? []
    for stage in stages {
      switch stage {
      case .plain(let blocks): result += blocks
      case .residual(let blocks):
        for block in blocks { result += block.branch + (block.projection.map { [$0] } ?? []) }
      }
    }
    return result
  }
}

extension ResidualBlock {
  init(
    path: String, inputChannels: Int, stage: NetworkArchitecture.Stage, stride: [Int], hasBias: Bool
  ) {
    let ones = [Int](repeating: 1, count: stride.count)
    func convolution(
      _ name: String, _ input: Int, _ output: Int, kernel: [Int], stride: [Int],
      bias: Bool, activated: Bool
    ) -> ConvolutionBlock {
      ConvolutionBlock(
        path: "\(path).\(name)", inputChannels: input, outputChannels: output, kernelSize: kernel,
        stride: stride, hasBias: bias, isActivated: activated)
    }
    if let width = stage.bottleneckChannels {
      branch = [
        convolution(
          "conv1", inputChannels, width, kernel: ones, stride: ones, bias: hasBias, activated: true),
        convolution(
          "conv2", width, width, kernel: stage.kernelSize, stride: stride, bias: hasBias,
          activated: true),
        convolution(
          "conv3", width, stage.features, kernel: ones, stride: ones, bias: hasBias,
          activated: false),
      ]
    } else {
      branch = [
        convolution(
          "conv1", inputChannels, stage.features, kernel: stage.kernelSize, stride: stride,
          bias: hasBias, activated: true),
        convolution(
          "conv2", stage.features, stage.features, kernel: stage.kernelSize, stride: ones,
          bias: hasBias, activated: false),
      ]
    }
    pooling = stride == ones ? nil : stride
    projection =
      inputChannels == stage.features
      ? nil
      : convolution(
        pooling == nil ? "skip.0" : "skip.1", inputChannels, stage.features, kernel: ones,
        stride: ones, bias: false, activated: false)
  }
}
