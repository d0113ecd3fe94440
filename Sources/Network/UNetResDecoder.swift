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
    let stages = decoder.blocks(of: architecture, in: &graph) {
      StackedResidualBlocks(
        &$0, path: $1, count: $2, inputs: $3, outputs: $4, kernelSize: $5, stride: $6, style: $7)
    }
    let ends = DecoderEnds(decoder, skips: skips, in: &graph)
    return ends.connect(skips, in: &graph) { index, input, graph in stages[index](input, &graph) }
  }
}
