internal import Network

/// Leaves norms, nonlinearities, biases and concatenations to those that read them: nothing of it is
/// ever written.
struct Deferral {
  /// What is left.
  private(set) var layers: [Layer] = []
  /// Of every value what has to be read for it.
  private var readings: [Graph.Value: [Layer.Reading]] = [:]
  /// Which layer wrote a value.
  private var writers: [Graph.Value: Int] = [:]

  /// - Parameters:
  ///   - nodes: of the graph, in order.
  ///   - maps: what the caller wants, with names for people.
  init(_ nodes: [Graph.Node], input: Graph.Value, maps: [Graph.Value: String]) {
    readings[input] = [Layer.Reading(stored: input)]
    for node in nodes {
      apply(node)
      if let name = maps[node.output] { unblock(node.output, name: name) }
    }
  }

  /// What has to be read for a value that is not a concatenation.
  func stored(_ value: Graph.Value) -> Graph.Value? { readings[value]?.first?.stored }

  private mutating func apply(_ node: Graph.Node) {
    let inputs = node.inputs.flatMap { readings[$0] ?? [] }
    switch node.operation {
    case .convolution(let convolution):
      write(
        node, .convolution(convolution), inputs,
        affine: convolution.bias.map { .bias($0) } ?? .identity)
    case .transposedConvolution(let convolution):
      write(
        node, .transposedConvolution(convolution), inputs,
        affine: convolution.bias.map { .bias($0) } ?? .identity)
    case .normalization(let norm):
      guard let writer = writers[inputs[0].stored], inputs.count == 1, inputs[0].slope == 1 else {
        preconditionFailure("a norm follows a convolution at \(node.path)")
      }
      if case .bias(let bias) = layers[writer].affine {
        layers[writer].affine = .norm(norm, bias: bias)
      } else {
        layers[writer].affine = .norm(norm, bias: nil)
      }
      readings[node.output] = inputs
    case .leakyReLU(let slope):
      guard let writer = writers[inputs[0].stored], inputs.count == 1, inputs[0].slope == 1 else {
        preconditionFailure("a nonlinearity follows a norm or an addition at \(node.path)")
      }
      if case .add = layers[writer].operation {
        layers[writer] = Layer(
          path: layers[writer].path, operation: .add(slope: slope), reads: layers[writer].reads,
          output: layers[writer].output)
        readings[node.output] = inputs
      } else {
        readings[node.output] = [Layer.Reading(stored: inputs[0].stored, slope: slope)]
      }
    case .concatenate: readings[node.output] = inputs
    case .add: write(node, .add(slope: 1), inputs)
    case .averagePool(let window): write(node, .averagePool(window: window), inputs)
    case .globalAverage: write(node, .globalAverage, inputs)
    case .linear(let linear): write(node, .linear(linear), inputs)
    }
  }

  private mutating func write(
    _ node: Graph.Node, _ operation: Layer.Operation, _ inputs: [Layer.Reading],
    affine: Layer.Affine = .identity
  ) {
    writers[node.output] = layers.count
    readings[node.output] = [Layer.Reading(stored: node.output)]
    layers.append(
      Layer(
        path: node.path, operation: operation, reads: inputs, output: node.output, affine: affine))
  }

  private mutating func unblock(_ value: Graph.Value, name: String) {
    layers.append(
      Layer(path: name, operation: .unblock, reads: readings[value] ?? [], output: value))
  }
}
