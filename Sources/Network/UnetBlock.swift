// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// Two convolutions, of which the first has the stride; residual ones add a skip.
///
/// Source: MONAI `UnetBasicBlock`, `UnetResBlock`.
struct UnetBlock {
  private let path: String
  private let convolutions: [ConvDropoutNormReLU]
  private let isResidual: Bool
  /// `conv3`: 1×1 with the stride, where the skip changes its shape.
  private let projection: ConvDropoutNormReLU?
  private let slope: Double

  /// Declares the parameters.
  init(
    _ graph: inout Graph, path: String, inputs: Int, outputs: Int, kernelSize: [Int],
    stride: [Int], isResidual: Bool, style: BlockStyle
  ) {
    self.path = path
    self.isResidual = isResidual
    slope = style.slope
    let ones = [Int](repeating: 1, count: stride.count)
    func convolution(
      _ number: Int, inputs: Int, kernelSize: [Int], stride: [Int], isActivated: Bool
    ) -> ConvDropoutNormReLU {
      // `get_padding`: half of what the kernel is wider than the stride.
      let padding = zip(kernelSize, stride).map { max(0, ($0 - $1 + 1) / 2) }
      return ConvDropoutNormReLU(
        &graph, path: path, modules: ("conv\(number).conv", "norm\(number)"), inputs: inputs,
        outputs: outputs, kernelSize: kernelSize, stride: stride, padding: padding,
        style: style, isActivated: isActivated)
    }
    convolutions = [
      convolution(
        1, inputs: inputs, kernelSize: kernelSize, stride: stride, isActivated: true),
      convolution(
        2, inputs: outputs, kernelSize: kernelSize, stride: ones,
        isActivated: !isResidual),
    ]
    projection =
      isResidual && (inputs != outputs || stride != ones)
      ? convolution(3, inputs: inputs, kernelSize: ones, stride: stride, isActivated: false)
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
