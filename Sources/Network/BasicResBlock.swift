// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// `nonlinearity(branch(x) + skip(x))`, where the skip is a convolution without norm, or nothing.
///
/// Source: STU-Net `BasicResBlock`.
struct BasicResBlock {
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
