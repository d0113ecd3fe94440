// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// A stem, and residual blocks in every stage.
///
/// Source: dynamic_network_architectures `ResidualEncoder`.
enum ResidualEncoder {
  /// Declares the parameters, adds the operations, and returns the stages' features.
  static func build(_ architecture: NetworkArchitecture, in graph: inout Graph) -> [Graph.Value] {
    let style = BlockStyle(architecture, part: .encoder)
    var value = graph.input
    if let channels = architecture.stemChannels, let first = architecture.stages.first {
      let stem = StackedConvBlocks(
        &graph, path: "encoder.stem", count: 1, inputs: architecture.inputChannels,
        outputs: channels, kernelSize: first.kernelSize,
        stride: [Int](repeating: 1, count: architecture.dimension), style: style)
      value = stem(value, &graph)
    }
    return architecture.stages.enumerated().map { index, stage in
      let blocks = StackedResidualBlocks(
        &graph, path: "encoder.stages.\(index)", count: stage.blocks,
        inputs: graph.width(of: value), outputs: stage.features, kernelSize: stage.kernelSize,
        stride: stage.stride, bottleneck: stage.bottleneckChannels, style: style)
      value = blocks(value, &graph)
      return value
    }
  }
}
