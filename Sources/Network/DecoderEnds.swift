// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// What stands before and behind the blocks of a decoder's stages, of whatever kind these are:
/// transposed convolutions and segmentation layers.
struct DecoderEnds {
  private let upsampling: [Operation.TransposedConvolution]
  private let segmentation: [Operation.Convolution]
  private let stages: String

  /// Of parameters that are declared.
  ///
  /// - Parameters:
  ///   - segmentation: of all stages, or of the last ones.
  ///   - stages: what their module is called.
  init(
    upsampling: [Operation.TransposedConvolution], segmentation: [Operation.Convolution],
    stages: String
  ) {
    self.upsampling = upsampling
    self.segmentation = segmentation
    self.stages = stages
  }

  /// Declares the parameters of nnU-Net's decoders.
  init(_ decoder: NetworkArchitecture.Decoder, skips: [Graph.Value], in graph: inout Graph) {
    var upsampling: [Operation.TransposedConvolution] = []
    var below = skips.last.map { graph.width(of: $0) } ?? 0
    for (index, stage) in decoder.stages.enumerated() {
      upsampling.append(
        graph.transposed(
          "decoder.transpconvs.\(index)", inputs: below, outputs: stage.features,
          kernel: stage.upsampling, hasBias: decoder.upsamplingBias))
      below = stage.features
    }
    self.upsampling = upsampling
    stages = "stages"
    segmentation = decoder.stages.enumerated().map { index, stage in
      graph.pointwise(
        "decoder.seg_layers.\(index)", inputs: stage.features,
        outputs: decoder.segmentationHeads, hasBias: decoder.segmentationBias,
        ones: stage.upsampling.map { _ in 1 })
    }
  }

  /// Adds the operations of all stages, and returns the last one's segmentation logits. The layers of
  /// the others serve training (deep supervision): they are in the graph, and nothing reads them.
  func connect(
    _ skips: [Graph.Value], in graph: inout Graph,
    stage: (Int, Graph.Value, inout Graph) -> Graph.Value
  ) -> Graph.Value? {
    guard var value = skips.last else { return nil }
    var logits: Graph.Value?
    let withoutLogits = upsampling.count - segmentation.count
    for (index, skip) in skips.dropLast().reversed().enumerated() where index < upsampling.count {
      let scale = graph.scale(of: skip)
      let upsampled = graph.add(
        .transposedConvolution(upsampling[index]), value, path: upsampling[index].weight.module,
        form: .map(channels: upsampling[index].outputs, scale: scale))
      let both = graph.add(
        .concatenate, upsampled, skip, path: "decoder.\(stages).\(index)",
        form: .map(channels: graph.width(of: upsampled) + graph.width(of: skip), scale: scale))
      value = stage(index, both, &graph)
      guard index >= withoutLogits else { continue }
      let layer = segmentation[index - withoutLogits]
      logits = graph.add(
        .convolution(layer), value, path: layer.weight.module,
        form: .map(channels: layer.weight.shape[0], scale: scale))
    }
    return logits
  }
}

extension Graph {
  /// Declares a decoder's 1×1 convolution.
  mutating func pointwise(
    _ path: String, inputs: Int, outputs: Int, hasBias: Bool, ones: [Int]
  ) -> Operation.Convolution {
    Operation.Convolution(
      weight: declare(
        "\(path).weight", shape: [outputs, inputs] + ones, .convolutionWeight, .decoder),
      bias: hasBias ? declare("\(path).bias", shape: [outputs], .perChannel, .decoder) : nil,
      stride: ones, padding: ones.map { _ in 0 })
  }

  /// Declares a decoder's transposed convolution whose stride is its kernel.
  mutating func transposed(
    _ path: String, inputs: Int, outputs: Int, kernel: [Int], hasBias: Bool
  ) -> Operation.TransposedConvolution {
    Operation.TransposedConvolution(
      weight: declare(
        "\(path).weight", shape: [inputs, outputs] + kernel, .transposedConvolutionWeight, .decoder),
      bias: hasBias ? declare("\(path).bias", shape: [outputs], .perChannel, .decoder) : nil)
  }
}
