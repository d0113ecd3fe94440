// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// One block per stage, each with its stride.
///
/// Source: MONAI `DynUNet`: `input_block`, `downsamples`, `bottleneck`.
enum DynUNetEncoder {
  /// Declares the parameters, adds the operations, and returns the stages' features.
  static func build(_ architecture: NetworkArchitecture, in graph: inout Graph) -> [Graph.Value] {
    let style = BlockStyle(architecture, part: .encoder)
    var value = graph.input
    return architecture.stages.enumerated().map { index, stage in
      let block = UnetBlock(
        &graph, path: path(ofStage: index, of: architecture.stages.count),
        inputs: graph.width(of: value), outputs: stage.features, kernelSize: stage.kernelSize,
        stride: stage.stride, isResidual: architecture.block == .unetRes, style: style)
      value = block(value, &graph)
      return value
    }
  }

  /// The module of a stage.
  package static func path(ofStage index: Int, of count: Int) -> String {
    if index == 0 { return "encoder.input_block" }
    return index == count - 1 ? "encoder.bottleneck" : "encoder.downsamples.\(index - 1)"
  }
}
