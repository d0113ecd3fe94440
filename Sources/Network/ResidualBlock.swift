// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// `nonlinearity(branch(x) + skip(x))`.
///
/// Source: dynamic_network_architectures `BasicBlockD`, `BottleneckD`.
struct ResidualBlock {
  private let path: String
  private let branch: [ConvDropoutNormReLU]
  /// Average pooling at the start of the skip, where the block has a stride.
  private let pooling: [Int]?
  /// A 1×1 convolution with norm, where the number of channels changes.
  private let projection: ConvDropoutNormReLU?
  private let slope: Double

  /// Declares the parameters.
  init(
    _ graph: inout Graph, path: String, inputs: Int, outputs: Int, kernelSize: [Int],
    stride: [Int], bottleneck: Int?, style: BlockStyle
  ) {
    self.path = path
    slope = style.slope
    let ones = [Int](repeating: 1, count: stride.count)
    if let width = bottleneck {
      branch = [
        ConvDropoutNormReLU(
          &graph, path: "\(path).conv1", inputs: inputs, outputs: width, kernelSize: ones,
          stride: ones, style: style),
        ConvDropoutNormReLU(
          &graph, path: "\(path).conv2", inputs: width, outputs: width, kernelSize: kernelSize,
          stride: stride, style: style),
        ConvDropoutNormReLU(
          &graph, path: "\(path).conv3", inputs: width, outputs: outputs, kernelSize: ones,
          stride: ones, style: style, isActivated: false),
      ]
    } else {
      branch = [
        ConvDropoutNormReLU(
          &graph, path: "\(path).conv1", inputs: inputs, outputs: outputs, kernelSize: kernelSize,
          stride: stride, style: style),
        ConvDropoutNormReLU(
          &graph, path: "\(path).conv2", inputs: outputs, outputs: outputs,
          kernelSize: kernelSize, stride: ones, style: style, isActivated: false),
      ]
    }
    pooling = stride == ones ? nil : stride
    projection =
      inputs == outputs
      ? nil
      : ConvDropoutNormReLU(
        &graph, path: "\(path).skip.\(pooling == nil ? 0 : 1)", inputs: inputs, outputs: outputs,
        kernelSize: ones, stride: ones, style: style, hasBias: false, isActivated: false)
  }

  /// Adds the operations; the skip first, so that the input is needed no longer than it must.
  func callAsFunction(_ input: Graph.Value, _ graph: inout Graph) -> Graph.Value {
    var skip = input
    if let pooling {
      skip = graph.add(
        .averagePool(window: pooling), skip, path: "\(path).skip.0",
        form: .map(
          channels: graph.width(of: input),
          scale: zip(graph.scale(of: input), pooling).map { $0 * $1 }))
    }
    if let projection { skip = projection(skip, &graph) }
    let sum = graph.add(
      .add, branch.reduce(input) { $1($0, &graph) }, skip, path: "\(path).add", form: graph[skip])
    return graph.add(.leakyReLU(slope: slope), sum, path: "\(path).add", form: graph[skip])
  }
}

/// Residual blocks one after the other, of which the first has the stride.
///
/// Source: dynamic_network_architectures `StackedResidualBlocks`.
struct StackedResidualBlocks {
  private let blocks: [ResidualBlock]

  /// Declares the parameters.
  init(
    _ graph: inout Graph, path: String, count: Int, inputs: Int, outputs: Int, kernelSize: [Int],
    stride: [Int], bottleneck: Int? = nil, style: BlockStyle
  ) {
    let ones = [Int](repeating: 1, count: stride.count)
    var blocks: [ResidualBlock] = []
    for index in 0..<count {
      blocks.append(
        ResidualBlock(
          &graph, path: "\(path).blocks.\(index)", inputs: index == 0 ? inputs : outputs,
          outputs: outputs, kernelSize: kernelSize, stride: index == 0 ? stride : ones,
          bottleneck: bottleneck, style: style))
    }
    self.blocks = blocks
  }

  /// Adds the operations.
  func callAsFunction(_ input: Graph.Value, _ graph: inout Graph) -> Graph.Value {
    blocks.reduce(input) { $1($0, &graph) }
  }
}
