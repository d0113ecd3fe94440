// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// From the lowest resolution up: nearest upsampling and a 1×1 convolution, the encoder's features of that
/// resolution behind its output, and residual blocks whose first has a convolution as skip.
///
/// Source: STU-Net (uni-medical/STU-Net) `STUNet.upsample_layers`, `conv_blocks_localization`, `seg_outputs`.
enum STUNetDecoder {
  /// Declares the parameters, adds the operations, and returns the segmentation's logits: those of the
  /// last stage, `nil` where there is none.
  static func build(
    _ decoder: NetworkArchitecture.Decoder, of architecture: NetworkArchitecture,
    skips: [Graph.Value], in graph: inout Graph
  ) -> Graph.Value? {
    let style = BlockStyle(architecture, part: .decoder)
    let ones = [Int](repeating: 1, count: architecture.dimension)
    var below = skips.last.map { graph.width(of: $0) } ?? 0
    var upsampling: [Operation.TransposedConvolution] = []
    for (index, stage) in decoder.stages.enumerated() {
      let layer = graph.pointwise(
        "decoder.upsample_layers.\(index).conv", inputs: below, outputs: stage.features,
        hasBias: decoder.upsamplingBias, ones: ones)
      upsampling.append(
        Operation.TransposedConvolution(
          weight: layer.weight, bias: layer.bias, repeats: stage.upsampling))
      below = stage.features
    }
    var stages: [[BasicResBlock]] = []
    for (index, stage) in decoder.stages.enumerated() {
      var blocks: [BasicResBlock] = []
      for block in 0..<stage.convolutions {
        blocks.append(
          BasicResBlock(
            &graph, path: "decoder.conv_blocks_localization.\(index).\(block)",
            inputs: block == 0 ? 2 * stage.features : stage.features, outputs: stage.features,
            kernelSize: stage.kernelSize, stride: ones, hasProjection: block == 0, style: style))
      }
      stages.append(blocks)
    }
    var segmentation: [Operation.Convolution] = []
    for (index, stage) in decoder.stages.enumerated() {
      segmentation.append(
        graph.pointwise(
          "decoder.seg_outputs.\(index)", inputs: stage.features,
          outputs: decoder.segmentationHeads, hasBias: decoder.segmentationBias, ones: ones))
    }
    let ends = DecoderEnds(
      upsampling: upsampling, segmentation: segmentation, stages: "conv_blocks_localization")
    return ends.connect(skips, in: &graph) { index, input, graph in
      stages[index].reduce(input) { $1($0, &graph) }
    }
  }
}
