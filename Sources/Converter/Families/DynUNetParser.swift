// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat

/// Reads a DynUNet's architecture: widths, kernels and blocks from its weights, strides from the plans, which
/// the decoder's transposed convolutions prove.
///
/// Source: MONAI `DynUNet`.
struct DynUNetParser {
  let plans: ArchitectureParser
  let weights: StateDict

  init(_ plans: ArchitectureParser, _ weights: StateDict) {
    self.plans = plans
    self.weights = weights
  }

  func parse() throws -> NetworkArchitecture {
    let strides = try plans.strides()
    let dimension = strides[0].count
    let modules = self.modules
    guard modules.count == strides.count else {
      throw ConversionError(
        .options(
          problem: "the plans have \(strides.count) stages, the weights \(modules.count)",
          advice: "give the plans that it was trained with"))
    }
    var stages: [NetworkArchitecture.Stage] = []
    for (module, stride) in zip(modules, strides) {
      let key = "encoder.\(module).conv1.conv.weight"
      let shape = weights.shape(of: key) ?? []
      guard shape.count == dimension + 2, NetworkArchitecture.Bounds.features.contains(shape[0]),
        shape[2...].allSatisfy({ $0 % 2 == 1 && NetworkArchitecture.Bounds.kernelSize.contains($0) }
        )
      else {
        throw ConversionError(
          .tensor(
            key: key,
            problem: "has shape \(shape), not [outputs, inputs] and \(dimension) odd sizes"))
      }
      stages.append(
        NetworkArchitecture.Stage(
          features: shape[0], kernelSize: Array(shape[2...]), stride: stride, blocks: 1))
    }
    try checkStrides(stages)
    let isResidual = modules.contains {
      weights.shape(of: "encoder.\($0).conv3.conv.weight") != nil
    }
    let hasStatistics = weights.shape(of: "encoder.input_block.norm1.running_mean") != nil
    var architecture = NetworkArchitecture(
      networkClass: .dynUNet, dimension: dimension, inputChannels: plans.inputChannels,
      stages: stages, block: isResidual ? .unetRes : .unetBasic, convolutionBias: false,
      normalization: NetworkArchitecture.Normalization(
        kind: hasStatistics ? .batch : .instance, eps: 1e-5,
        affine: weights.shape(of: "encoder.input_block.norm1.weight") != nil),
      nonlinearity: NetworkArchitecture.Nonlinearity(kind: .leakyReLU, negativeSlope: 0.01))
    if weights.hasDecoder, architecture.decodesToInput {
      architecture.decoder = decoder(of: stages)
    }
    return architecture
  }

  /// The decoder that mirrors the encoder.
  private func decoder(of stages: [NetworkArchitecture.Stage]) -> NetworkArchitecture.Decoder {
    NetworkArchitecture.Decoder(
      stages: zip(stages.dropLast().reversed(), stages.reversed()).map { stage, below in
        NetworkArchitecture.Decoder.Stage(
          features: stage.features, kernelSize: below.kernelSize, upsampling: below.stride,
          convolutions: 2)
      },
      segmentationHeads: plans.segmentationHeads,
      upsamplingBias: weights.shape(of: "decoder.upsamples.0.transp_conv.conv.bias") != nil,
      segmentationBias: true)
  }

  /// The modules of the stages, as many as the weights have.
  private var modules: [String] {
    let inner = NetworkArchitecture.Bounds.stages.lazy.map { "downsamples.\($0 - 1)" }
      .prefix { weights.shape(of: "encoder.\($0).conv1.conv.weight") != nil }
    return ["input_block"] + inner + ["bottleneck"]
  }

  /// A transposed convolution's kernel is the stride that it undoes, lowest resolution first.
  private func checkStrides(_ stages: [NetworkArchitecture.Stage]) throws {
    for (index, stage) in stages.enumerated().dropFirst() {
      let key = "decoder.upsamples.\(stages.count - 1 - index).transp_conv.conv.weight"
      guard let shape = weights.shape(of: key), shape.count == stage.stride.count + 2,
        Array(shape[2...]) != stage.stride
      else { continue }
      throw ConversionError(
        .stride(
          key: key, stage: index, planned: stage.stride, found: Array(shape[2...])))
    }
  }
}
