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

/// `nonlinearity(branch(x) + skip(x))`, where the skip is a convolution without norm, or nothing.
///
/// Source: STU-Net `BasicResBlock`.
private struct BasicResBlock {
  private let path: String
  private let branch: [ConvDropoutNormReLU]
  /// `conv3`: 1×1 with the stride.
  private let projection: Operation.Convolution?
  private let slope: Double

  /// Declares the parameters.
  init(
    _ graph: inout Graph, path: String, inputs: Int, outputs: Int, kernelSize: [Int],
    stride: [Int], hasProjection: Bool, style: BlockStyle
  ) {
    self.path = path
    slope = style.slope
    let ones = [Int](repeating: 1, count: stride.count)
    branch = [
      ConvDropoutNormReLU(
        &graph, path: path, modules: ("conv1", "norm1"), inputs: inputs, outputs: outputs,
        kernelSize: kernelSize, stride: stride, style: style),
      ConvDropoutNormReLU(
        &graph, path: path, modules: ("conv2", "norm2"), inputs: outputs, outputs: outputs,
        kernelSize: kernelSize, stride: ones, style: style, isActivated: false),
    ]
    projection =
      hasProjection
      ? Operation.Convolution(
        weight: graph.declare(
          "\(path).conv3.weight", shape: [outputs, inputs] + ones, .convolutionWeight, style.part),
        bias: graph.declare("\(path).conv3.bias", shape: [outputs], .perChannel, style.part),
        stride: stride, padding: ones.map { _ in 0 }) : nil
  }

  /// Adds the operations; the skip first, so that the input is needed no longer than it must.
  func callAsFunction(_ input: Graph.Value, _ graph: inout Graph) -> Graph.Value {
    var skip = input
    if let projection {
      let scale = zip(graph.scale(of: input), projection.stride).map { $0 * $1 }
      skip = graph.add(
        .convolution(projection), input, path: "\(path).conv3",
        form: .map(channels: projection.weight.shape[0], scale: scale))
    }
    let sum = graph.add(
      .add, branch.reduce(input) { $1($0, &graph) }, skip, path: "\(path).add", form: graph[skip])
    return graph.add(.leakyReLU(slope: slope), sum, path: "\(path).add", form: graph[skip])
  }
}
