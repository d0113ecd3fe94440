// SPDX-License-Identifier: Apache-2.0
/// What a network is: values, and the operations that make them, whatever the input's size and
/// whatever runs it.
///
/// A builder makes it as PyTorch makes a module: parameters are declared in the order of the state
/// dict, then operations are added in the order in which they run.
package struct Graph: Sendable {
  /// The network's input, or what an operation makes.
  package struct Value: Sendable, Hashable {
    package let index: Int
  }

  /// What a value is.
  package enum Form: Sendable, Equatable {
    /// Channels over space; of the input's size divided by `scale`, `[z, y, x]` or `[y, x]`.
    case map(channels: Int, scale: [Int])
    /// A sequence of tokens of `width` numbers: `registers` of them, then those of a grid.
    case tokens(width: Int, grid: [Int], registers: Int)
    /// Numbers without a place.
    case vector(count: Int)
  }

  /// An operation in its place.
  package struct Node: Sendable {
    /// For people: the module that it belongs to, as in the state dict.
    package let path: String
    package let operation: Operation
    package let inputs: [Value]
    package let output: Value
  }

  /// In the order in which they run.
  package private(set) var nodes: [Node] = []
  /// In the order of the state dict: the tensors of a file, in file order.
  package private(set) var parameters: [Parameter] = []
  private var forms: [Form]

  /// `[channels, z, y, x]` or `[channels, y, x]`.
  package let input = Value(index: 0)
  /// The stages' features, highest resolution first.
  package var skips: [Value] = []
  /// The mean of the last stage's features.
  package var pooled: Value?
  /// The classifier's logits.
  package var logits: Value?
  /// The logits of the segmentation, at full resolution.
  package var segmentation: Value?

  /// A network of no operations on an input of so many channels.
  package init(inputChannels: Int, dimension: Int) {
    forms = [.map(channels: inputChannels, scale: [Int](repeating: 1, count: dimension))]
  }

  package subscript(value: Value) -> Form { forms[value.index] }

  /// How many values there are; their indices lie below.
  package var valueCount: Int { forms.count }

  /// The channels of a map, or how many numbers a token or a vector has.
  package func width(of value: Value) -> Int {
    switch self[value] {
    case .map(let channels, _): channels
    case .tokens(let width, _, _): width
    case .vector(let count): count
    }
  }

  /// The input's size over a map's.
  package func scale(of value: Value) -> [Int] {
    guard case .map(_, let scale) = self[value] else { return [] }
    return scale
  }

  /// The parameters of a part, in the order of the state dict.
  package func parameters(of part: Parameter.Part) -> [Parameter] {
    parameters.filter { $0.part == part }
  }

  // MARK: - Building

  /// Declares a parameter.
  package mutating func declare(
    _ name: String, shape: [Int], _ role: Parameter.Role, _ part: Parameter.Part
  ) -> Parameter {
    let parameter = Parameter(name: name, shape: shape, role: role, part: part)
    parameters.append(parameter)
    return parameter
  }

  /// Adds an operation, and returns what it makes.
  package mutating func add(
    _ operation: Operation, _ inputs: Value..., path: String, form: Form
  ) -> Value {
    let output = Value(index: forms.count)
    forms.append(form)
    nodes.append(Node(path: path, operation: operation, inputs: inputs, output: output))
    return output
  }

  /// The operations that `outputs` need, in order; where `start` is given, those behind it.
  package func nodes(for outputs: [Value], behind start: Value? = nil) -> [Node] {
    var needed = Set(outputs)
    var result: [Node] = []
    for node in nodes.reversed() where needed.contains(node.output) && node.output != start {
      needed.formUnion(node.inputs)
      result.append(node)
    }
    return result.reversed()
  }
}
