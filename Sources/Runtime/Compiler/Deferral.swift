// SPDX-License-Identifier: Apache-2.0
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
  ///   - pooled: of what the caller wants means and maxima.
  init(
    _ nodes: [Graph.Node], input: Graph.Value, maps: [Graph.Value: String],
    pooled: [Graph.Value: PooledPlaces] = [:]
  ) {
    readings[input] = [Layer.Reading(stored: input)]
    for node in nodes {
      apply(node)
      if let name = maps[node.output] { result(node.output, .unblock, name: name) }
      if let places = pooled[node.output] {
        result(node.output, .pool(places), name: "pooling of stage \(places.stage)")
      }
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
        layers[writer].operation = .add(slope: slope)
        readings[node.output] = inputs
      } else {
        readings[node.output] = [Layer.Reading(stored: inputs[0].stored, slope: slope)]
      }
    case .concatenate: readings[node.output] = inputs
    case .add:
      if product(inputs[0]) != nil {
        extend(node, inputs) { $0.hasAddend = true }
      } else {
        write(node, .add(slope: 1), inputs)
      }
    case .averagePool(let window): write(node, .averagePool(window: window), inputs)
    case .globalAverage: write(node, .globalAverage, inputs)
    case .linear(let linear):
      let isOverTokens = linear.weight.role == .tokenWeight
      write(node, isOverTokens ? .product(Layer.Product(layer: linear)) : .linear(linear), inputs)
    case .silu: extend(node, inputs) { $0.isActivated = true }
    case .scale(let parameter): extend(node, inputs) { $0.scale = parameter }
    case .multiply: extend(node, inputs) { $0.hasFactor = true }
    case .patchEmbedding(let embedding): write(node, .patchEmbedding(embedding), inputs)
    case .embedding(let embedding): write(node, .embedding(embedding), inputs)
    case .layerNormalization(let norm): write(node, .layerNormalization(norm), inputs)
    case .channelLayerNormalization(let norm):
      write(node, .channelLayerNormalization(norm, hasGELU: false), inputs)
    case .gelu:
      guard let writer = writers[inputs[0].stored],
        case .channelLayerNormalization(let norm, hasGELU: false) = layers[writer].operation
      else { preconditionFailure("a GELU follows a norm over channels at \(node.path)") }
      layers[writer].operation = .channelLayerNormalization(norm, hasGELU: true)
      readings[node.output] = inputs
    case .attention(let heads, let isRotary):
      write(node, .attention(heads: heads, isRotary: isRotary), inputs)
    case .map(let order): write(node, .map(order), inputs)
    }
  }

  /// The linear layer over tokens that wrote what is read.
  private func product(_ reading: Layer.Reading) -> Layer.Product? {
    guard let writer = writers[reading.stored],
      case .product(let product) = layers[writer].operation
    else { return nil }
    return product
  }

  /// Lets the linear layer that wrote the first input do what follows, reading the other inputs too.
  private mutating func extend(
    _ node: Graph.Node, _ inputs: [Layer.Reading], _ change: (inout Layer.Product) -> Void
  ) {
    guard let writer = writers[inputs[0].stored], var product = product(inputs[0]),
      !product.hasAddend
    else { preconditionFailure("what follows a linear layer over tokens at \(node.path)") }
    change(&product)
    layers[writer].operation = .product(product)
    layers[writer].reads += inputs.dropFirst()
    readings[node.output] = [inputs[0]]
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

  private mutating func result(
    _ value: Graph.Value, _ operation: Layer.Operation, name: String
  ) {
    layers.append(
      Layer(path: name, operation: operation, reads: readings[value] ?? [], output: value))
  }
}
