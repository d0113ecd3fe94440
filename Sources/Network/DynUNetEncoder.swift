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
        inputs: graph.width(of: value), stage: stage, isResidual: architecture.block == .unetRes,
        style: style)
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

/// Two convolutions, of which the first has the stride; residual ones add a skip.
///
/// Source: MONAI `UnetBasicBlock`, `UnetResBlock`.
private struct UnetBlock {
  private let path: String
  private let convolutions: [ConvDropoutNormReLU]
  private let isResidual: Bool
  /// `conv3`: 1×1 with the stride, where the skip changes its shape.
  private let projection: ConvDropoutNormReLU?
  private let slope: Double

  /// Declares the parameters.
  init(
    _ graph: inout Graph, path: String, inputs: Int, stage: NetworkArchitecture.Stage,
    isResidual: Bool, style: BlockStyle
  ) {
    self.path = path
    self.isResidual = isResidual
    slope = style.slope
    let ones = [Int](repeating: 1, count: stage.stride.count)
    func convolution(
      _ number: Int, inputs: Int, kernelSize: [Int], stride: [Int], isActivated: Bool
    ) -> ConvDropoutNormReLU {
      // `get_padding`: half of what the kernel is wider than the stride.
      let padding = zip(kernelSize, stride).map { max(0, ($0 - $1 + 1) / 2) }
      return ConvDropoutNormReLU(
        &graph, path: path, modules: ("conv\(number).conv", "norm\(number)"), inputs: inputs,
        outputs: stage.features, kernelSize: kernelSize, stride: stride, padding: padding,
        style: style, isActivated: isActivated)
    }
    convolutions = [
      convolution(
        1, inputs: inputs, kernelSize: stage.kernelSize, stride: stage.stride, isActivated: true),
      convolution(
        2, inputs: stage.features, kernelSize: stage.kernelSize, stride: ones,
        isActivated: !isResidual),
    ]
    projection =
      isResidual && (inputs != stage.features || stage.stride != ones)
      ? convolution(3, inputs: inputs, kernelSize: ones, stride: stage.stride, isActivated: false)
      : nil
  }

  /// Adds the operations; the skip first, so that the input is needed no longer than it must.
  func callAsFunction(_ input: Graph.Value, _ graph: inout Graph) -> Graph.Value {
    guard isResidual else { return convolutions.reduce(input) { $1($0, &graph) } }
    let skip = projection?(input, &graph) ?? input
    let sum = graph.add(
      .add, convolutions.reduce(input) { $1($0, &graph) }, skip, path: "\(path).add",
      form: graph[skip])
    return graph.add(.leakyReLU(slope: slope), sum, path: "\(path).add", form: graph[skip])
  }
}
