// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat

/// Reads an STU-Net's architecture: widths, depths and kernels from its weights, strides from the plans.
///
/// Source: STU-Net `STUNetTrainer.process_plans`: the pooling of the plans' stages behind the first, cut or
/// filled up with ones.
struct STUNetParser {
  let plans: ArchitectureParser
  let weights: StateDict

  init(_ plans: ArchitectureParser, _ weights: StateDict) {
    self.plans = plans
    self.weights = weights
  }

  func parse() throws -> NetworkArchitecture {
    let shapes = NetworkArchitecture.Bounds.stages.lazy.map { shape(stage: $0 - 1, block: 0) }
      .prefix { $0 != nil }.compactMap { $0 }
    let planned = try plans.strides()
    guard planned.allSatisfy({ $0.count == 3 }) else {
      throw ConversionError(
        .options(
          problem: "the plans' configuration is two-dimensional, the network three-dimensional",
          advice: "give \(.configuration) of a three-dimensional one"))
    }
    var stages: [NetworkArchitecture.Stage] = []
    for (index, shape) in shapes.enumerated() {
      let key = "encoder.conv_blocks_context.\(index).0.conv1.weight"
      guard shape.count == 5, NetworkArchitecture.Bounds.features.contains(shape[0]),
        shape[2...].allSatisfy({ $0 == 3 })
      else {
        throw ConversionError(
          .tensor(
            key: key, problem: "has shape \(shape), not [outputs, inputs, 3, 3, 3]"))
      }
      let blocks = NetworkArchitecture.Bounds.blocks.prefix {
        self.shape(stage: index, block: $0 - 1) != nil
      }.count
      stages.append(
        NetworkArchitecture.Stage(
          features: shape[0], kernelSize: [3, 3, 3],
          stride: index > 0 && index < planned.count ? planned[index] : [1, 1, 1], blocks: blocks))
    }
    try checkPatchSize(strides: stages.map(\.stride))
    return NetworkArchitecture(
      networkClass: .stuNet, dimension: 3, inputChannels: plans.inputChannels, stages: stages,
      block: .basicRes, convolutionBias: true,
      normalization: NetworkArchitecture.Normalization(kind: .instance, eps: 1e-5, affine: true),
      nonlinearity: NetworkArchitecture.Nonlinearity(kind: .leakyReLU, negativeSlope: 0.01),
      decoder: decoder(of: stages))
  }

  /// The decoder that mirrors the encoder, its depths as the weights show; `nil` where there is none.
  private func decoder(
    of stages: [NetworkArchitecture.Stage]
  ) -> NetworkArchitecture.Decoder? {
    guard weights.hasDecoder else { return nil }
    let mirrored = zip(stages.dropLast().reversed(), stages.reversed()).enumerated().map {
      index, pair in
      let path = "decoder.conv_blocks_localization.\(index)"
      let blocks = NetworkArchitecture.Bounds.blocks.prefix {
        weights.shape(of: "\(path).\($0 - 1).conv1.weight") != nil
      }.count
      return NetworkArchitecture.Decoder.Stage(
        features: pair.0.features, kernelSize: pair.0.kernelSize, upsampling: pair.1.stride,
        convolutions: max(1, blocks))
    }
    return NetworkArchitecture.Decoder(
      stages: mirrored, segmentationHeads: plans.segmentationHeads,
      upsamplingBias: true, segmentationBias: true)
  }

  /// No weight shows the strides; but plans whose strides leave nothing to normalise of their patches have
  /// not trained this network.
  private func checkPatchSize(strides: [[Int]]) throws {
    let field = try plans.configuration["patch_size"]
    let patchSize = try field.integers(1...65_536, count: 3...3)
    let total = (0..<3).map { axis in strides.reduce(1) { $0 * $1[axis] } }
    let left = zip(patchSize, total).reduce(1) { $0 * ($1.0 / $1.1) }
    guard left < 2 else { return }
    throw field.problem(
      "is \(patchSize), of which strides of \(total) together leave nothing to normalise — these are not "
        + "the plans that it was trained with")
  }

  private func shape(stage: Int, block: Int) -> [Int]? {
    weights.shape(of: "encoder.conv_blocks_context.\(stage).\(block).conv1.weight")
  }
}
