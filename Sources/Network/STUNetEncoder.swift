// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// Residual blocks in every stage, whose first has the stride.
///
/// Source: STU-Net (uni-medical/STU-Net) `STUNet.conv_blocks_context`.
enum STUNetEncoder {
  /// Declares the parameters, adds the operations, and returns the stages' features.
  static func build(_ architecture: NetworkArchitecture, in graph: inout Graph) -> [Graph.Value] {
    let style = BlockStyle(architecture, part: .encoder)
    let ones = [Int](repeating: 1, count: architecture.dimension)
    var value = graph.input
    return architecture.stages.enumerated().map { index, stage in
      for block in 0..<stage.blocks {
        let block = BasicResBlock(
          &graph, path: "encoder.conv_blocks_context.\(index).\(block)",
          inputs: graph.width(of: value), outputs: stage.features, kernelSize: stage.kernelSize,
          stride: block == 0 ? stage.stride : ones, hasProjection: block == 0, style: style)
        value = block(value, &graph)
      }
      return value
    }
  }
}
