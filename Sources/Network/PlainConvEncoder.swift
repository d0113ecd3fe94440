// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// Stacked convolutions in every stage.
///
/// Source: dynamic_network_architectures `PlainConvEncoder`.
enum PlainConvEncoder {
  /// Declares the parameters, adds the operations, and returns the stages' features.
  static func build(_ architecture: NetworkArchitecture, in graph: inout Graph) -> [Graph.Value] {
    let style = BlockStyle(architecture, part: .encoder)
    var skips: [Graph.Value] = []
    for (index, stage) in architecture.stages.enumerated() {
      let input = skips.last ?? graph.input
      let blocks = StackedConvBlocks(
        &graph, path: "encoder.stages.\(index).0", count: stage.blocks,
        inputs: graph.width(of: input), outputs: stage.features, kernelSize: stage.kernelSize,
        stride: stage.stride, style: style)
      skips.append(blocks(input, &graph))
    }
    return skips
  }
}
