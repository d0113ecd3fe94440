/// A parameter that an architecture has: its canonical state-dict name and shape.
package struct ParameterSpecification: Sendable, Equatable {
  package enum Role: Sendable, Equatable {
    /// `[outputs, inputs, kernel…]`; stored in the packed layout.
    case convolutionWeight
    /// `[inputs, outputs, kernel…]` of a transposed convolution; stored row-major.
    case transposedConvolutionWeight
    /// `[outputs, inputs]` of the classifier; stored row-major.
    case linearWeight
    /// A vector with one entry per channel.
    case perChannel
  }
  package var name: String
  package var shape: [Int]
  package var role: Role
}

extension ConvolutionBlock {
  /// The parameters of the block in the order of the state dict.
  package func parameters(
    normalization: NetworkArchitecture.Normalization
  ) -> [ParameterSpecification] {
    var result = [
      ParameterSpecification(
        name: "\(path).conv.weight", shape: [outputChannels, inputChannels] + kernelSize,
        role: .convolutionWeight)
    ]
    var vectors = hasBias ? ["conv.bias"] : []
    if normalization.affine { vectors += ["norm.weight", "norm.bias"] }
    if normalization.kind == .batch { vectors += ["norm.running_mean", "norm.running_var"] }
    for vector in vectors {
      result.append(
        ParameterSpecification(
          name: "\(path).\(vector)", shape: [outputChannels], role: .perChannel))
    }
    return result
  }
}

extension NetworkArchitecture {
  /// The encoder's parameters in the order of the state dict.
  package var encoderParameters: [ParameterSpecification] {
    EncoderStructure(self).convolutions.flatMap { $0.parameters(normalization: normalization) }
  }

  /// The decoder's convolution blocks, lowest resolution first; empty without a decoder.
  package var decoderConvolutions: [ConvolutionBlock] {
    guard let decoder else { return [] }
    let ones = [Int](repeating: 1, count: dimension)
    return decoder.stages.enumerated().flatMap { index, stage in
      (0..<stage.convolutions).map { convolution in
        ConvolutionBlock(
          path: "decoder.stages.\(index).convs.\(convolution)",
          inputChannels: convolution == 0 ? 2 * stage.features : stage.features,
          outputChannels: stage.features, kernelSize: stage.kernelSize, stride: ones,
          hasBias: convolutionBias, isActivated: true)
      }
    }
  }

  /// The decoder's parameters in the order of the state dict; empty without a decoder. Source:
  /// dynamic_network_architectures `UNetDecoder`.
  package var decoderParameters: [ParameterSpecification] {
    guard let decoder else { return [] }
    let ones = [Int](repeating: 1, count: dimension)
    var result = decoderConvolutions.flatMap { $0.parameters(normalization: normalization) }
    var below = stages.last?.features ?? 0
    for (index, stage) in decoder.stages.enumerated() {
      let path = "decoder.transpconvs.\(index)"
      result.append(
        ParameterSpecification(
          name: "\(path).weight", shape: [below, stage.features] + stage.upsampling,
          role: .transposedConvolutionWeight))
      if decoder.upsamplingBias {
        result.append(
          ParameterSpecification(
            name: "\(path).bias", shape: [stage.features], role: .perChannel))
      }
      below = stage.features
    }
    for (index, stage) in decoder.stages.enumerated() {
      let path = "decoder.seg_layers.\(index)"
      result.append(
        ParameterSpecification(
          name: "\(path).weight", shape: [decoder.segmentationHeads, stage.features] + ones,
          role: .convolutionWeight))
      if decoder.segmentationBias {
        result.append(
          ParameterSpecification(
            name: "\(path).bias", shape: [decoder.segmentationHeads], role: .perChannel))
      }
    }
    return result
  }
}
