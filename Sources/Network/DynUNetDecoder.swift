// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// From the lowest resolution up: a transposed convolution, the encoder's features of that resolution behind
/// its output, and a plain block, whatever the encoder's are. Only the highest resolution is segmented: heads for
/// deep supervision serve training and are left out.
///
/// Source: MONAI `DynUNet`: `upsamples` (`UnetUpBlock`), `output_block`.
enum DynUNetDecoder {
  /// Declares the parameters, adds the operations, and returns the segmentation's logits; `nil` where there is no
  /// stage.
  static func build(
    _ decoder: NetworkArchitecture.Decoder, of architecture: NetworkArchitecture,
    skips: [Graph.Value], in graph: inout Graph
  ) -> Graph.Value? {
    let style = BlockStyle(architecture, part: .decoder)
    let ones = [Int](repeating: 1, count: architecture.dimension)
    var below = skips.last.map { graph.width(of: $0) } ?? 0
    var upsampling: [Operation.TransposedConvolution] = []
    var blocks: [UnetBlock] = []
    for (index, stage) in decoder.stages.enumerated() {
      let path = "decoder.upsamples.\(index)"
      upsampling.append(
        graph.transposed(
          "\(path).transp_conv.conv", inputs: below, outputs: stage.features,
          kernel: stage.upsampling, hasBias: decoder.upsamplingBias))
      blocks.append(
        UnetBlock(
          &graph, path: "\(path).conv_block", inputs: 2 * stage.features, outputs: stage.features,
          kernelSize: stage.kernelSize, stride: ones, isResidual: false, style: style))
      below = stage.features
    }
    let output = graph.pointwise(
      "decoder.output_block.conv.conv", inputs: below, outputs: decoder.segmentationHeads,
      hasBias: decoder.segmentationBias, ones: ones)
    let ends = DecoderEnds(upsampling: upsampling, segmentation: [output], stages: "upsamples")
    return ends.connect(skips, in: &graph) { index, input, graph in blocks[index](input, &graph) }
  }
}
