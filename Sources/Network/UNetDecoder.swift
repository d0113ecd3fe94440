// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// From the lowest resolution up: a transposed convolution, the encoder's features of that resolution
/// beside its output, and stacked convolutions.
///
/// Source: dynamic_network_architectures `UNetDecoder`.
enum UNetDecoder {
  /// Declares the parameters, adds the operations, and returns the segmentation's logits: those of the
  /// last stage, `nil` where there is none.
  static func build(
    _ decoder: NetworkArchitecture.Decoder, of architecture: NetworkArchitecture,
    skips: [Graph.Value], in graph: inout Graph
  ) -> Graph.Value? {
    let stages = decoder.blocks(of: architecture, in: &graph, StackedConvBlocks.init)
    let ends = DecoderEnds(decoder, skips: skips, in: &graph)
    return ends.connect(skips, in: &graph) { index, input, graph in stages[index](input, &graph) }
  }
}

extension NetworkArchitecture.Decoder {
  /// Declares the blocks of every stage; `declare` makes those of one.
  func blocks<Blocks>(
    of architecture: NetworkArchitecture, in graph: inout Graph,
    _ declare: (
      _ graph: inout Graph, _ path: String, _ count: Int, _ inputs: Int, _ outputs: Int,
      _ kernelSize: [Int], _ stride: [Int], _ style: BlockStyle
    ) -> Blocks
  ) -> [Blocks] {
    let ones = [Int](repeating: 1, count: architecture.dimension)
    let style = BlockStyle(architecture, part: .decoder)
    var blocks: [Blocks] = []
    for (index, stage) in stages.enumerated() {
      blocks.append(
        declare(
          &graph, "decoder.stages.\(index)", stage.convolutions, 2 * stage.features, stage.features,
          stage.kernelSize, ones, style))
    }
    return blocks
  }
}
