// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// From the lowest resolution up: a transposed convolution, the encoder's features of that resolution
/// beside its output, and residual blocks.
///
/// Source: dynamic_network_architectures `UNetResDecoder`, whose blocks are `BasicBlockD` whatever the
/// encoder's are.
enum UNetResDecoder {
  /// Declares the parameters, adds the operations, and returns the segmentation's logits: those of the
  /// last stage, `nil` where there is none.
  static func build(
    _ decoder: NetworkArchitecture.Decoder, of architecture: NetworkArchitecture,
    skips: [Graph.Value], in graph: inout Graph
  ) -> Graph.Value? {
    let ones = [Int](repeating: 1, count: architecture.dimension)
    let style = BlockStyle(architecture, part: .decoder)
    var blocks: [StackedResidualBlocks] = []
    for (index, stage) in decoder.stages.enumerated() {
      blocks.append(
        StackedResidualBlocks(
          &graph, path: "decoder.stages.\(index)", count: stage.convolutions,
          inputs: 2 * stage.features, outputs: stage.features, kernelSize: stage.kernelSize,
          stride: ones, style: style))
    }
    let ends = DecoderEnds(decoder, skips: skips, in: &graph)
    return ends.connect(skips, in: &graph) { index, input, graph in blocks[index](input, &graph) }
  }
}
