// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// What all blocks of a network have in common.
struct BlockStyle {
  private(set) var hasBias: Bool
  let normalization: NetworkArchitecture.Normalization
  let slope: Double
  /// The part that the blocks belong to.
  let part: Parameter.Part

  init(_ architecture: NetworkArchitecture, part: Parameter.Part) {
    hasBias = architecture.convolutionBias
    normalization = architecture.normalization
    slope = architecture.nonlinearity.negativeSlope
    self.part = part
  }

  /// The same with or without biases.
  func with(bias: Bool) -> BlockStyle {
    var style = self
    style.hasBias = bias
    return style
  }
}

/// A convolution, its norm, and mostly a nonlinearity. Dropout does nothing at inference.
///
/// Source: dynamic_network_architectures `ConvDropoutNormReLU`.
struct ConvDropoutNormReLU {
  private let path: String
  private let convolution: Operation.Convolution
  private let normalization: Operation.ChannelNormalization
  /// `nil` where no nonlinearity follows: at the end of a residual branch.
  private let slope: Double?

  /// Declares the parameters.
  ///
  /// - Parameters:
  ///   - modules: the names of convolution and norm below `path`.
  ///   - padding: by default what keeps the size at stride 1.
  init(
    _ graph: inout Graph, path: String, modules: (conv: String, norm: String) = ("conv", "norm"),
    inputs: Int, outputs: Int, kernelSize: [Int], stride: [Int], padding: [Int]? = nil,
    style: BlockStyle, hasBias: Bool? = nil, isActivated: Bool = true
  ) {
    self.path = path
    func vector(_ name: String, if isThere: Bool) -> Parameter? {
      isThere
        ? graph.declare("\(path).\(name)", shape: [outputs], .perChannel, style.part) : nil
    }
    let weight = graph.declare(
      "\(path).\(modules.conv).weight", shape: [outputs, inputs] + kernelSize, .convolutionWeight,
      style.part)
    convolution = Operation.Convolution(
      weight: weight, bias: vector("\(modules.conv).bias", if: hasBias ?? style.hasBias),
      stride: stride, padding: padding ?? kernelSize.map { ($0 - 1) / 2 })
    let norm = style.normalization
    let gamma = vector("\(modules.norm).weight", if: norm.affine)
    let beta = vector("\(modules.norm).bias", if: norm.affine)
    let mean = vector("\(modules.norm).running_mean", if: norm.kind == .batch)
    let variance = vector("\(modules.norm).running_var", if: norm.kind == .batch)
    var running: Operation.ChannelNormalization.RunningStatistics?
    if let mean, let variance { running = .init(mean: mean, variance: variance) }
    normalization = Operation.ChannelNormalization(
      weight: gamma, bias: beta, running: running, eps: norm.eps)
    slope = isActivated ? style.slope : nil
  }

  /// Adds the operations.
  func callAsFunction(_ input: Graph.Value, _ graph: inout Graph) -> Graph.Value {
    let form = Graph.Form.map(
      channels: convolution.weight.shape[0],
      scale: zip(graph.scale(of: input), convolution.stride).map { $0 * $1 })
    var value = graph.add(.convolution(convolution), input, path: path, form: form)
    value = graph.add(.normalization(normalization), value, path: path, form: form)
    if let slope {
      value = graph.add(.leakyReLU(slope: slope), value, path: path, form: form)
    }
    return value
  }
}

/// Convolutions one after the other, of which the first has the stride.
///
/// Source: dynamic_network_architectures `StackedConvBlocks`.
struct StackedConvBlocks {
  private let blocks: [ConvDropoutNormReLU]

  /// Declares the parameters.
  init(
    _ graph: inout Graph, path: String, count: Int, inputs: Int, outputs: Int, kernelSize: [Int],
    stride: [Int], style: BlockStyle
  ) {
    let ones = [Int](repeating: 1, count: stride.count)
    var blocks: [ConvDropoutNormReLU] = []
    for index in 0..<count {
      blocks.append(
        ConvDropoutNormReLU(
          &graph, path: "\(path).convs.\(index)", inputs: index == 0 ? inputs : outputs,
          outputs: outputs, kernelSize: kernelSize, stride: index == 0 ? stride : ones,
          style: style))
    }
    self.blocks = blocks
  }

  /// Adds the operations.
  func callAsFunction(_ input: Graph.Value, _ graph: inout Graph) -> Graph.Value {
    blocks.reduce(input) { $1($0, &graph) }
  }
}
