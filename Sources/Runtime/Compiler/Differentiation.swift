// SPDX-License-Identifier: Apache-2.0
internal import Network

/// Which gradients have to be made so that those of the trained parameters are: the layers that training
/// goes back through, the last one first, and where each one's gradient goes.
struct Differentiation {
  /// The gradient of something that a layer reads.
  enum InputGradient {
    /// Nothing before it is trained.
    case none
    /// The first that is made of this value.
    case first
    /// It is added to that of other readers.
    case further
  }

  /// The way back through one layer.
  struct Step {
    let layer: Int
    /// Of everything that it reads.
    let inputs: [InputGradient]
  }

  /// In the order in which they run.
  let steps: [Step]

  /// - Parameter layers: of which those that hand something out have gradients to begin with.
  init(_ layers: [Layer], isTrained: (Parameter) -> Bool) {
    /// Values that a trained parameter changes.
    var changing: Set<Graph.Value> = []
    for layer in layers
    where layer.parameters.contains(where: isTrained)
      || layer.storedInputs.contains(where: changing.contains)
    {
      changing.insert(layer.output)
    }
    /// Values that have a gradient.
    var known: Set<Graph.Value> = []
    var steps: [Step] = []
    for (index, layer) in layers.enumerated().reversed() {
      guard layer.isResult || known.contains(layer.output) else { continue }
      guard changing.contains(layer.output) else { continue }
      steps.append(
        Step(
          layer: index,
          inputs: layer.storedInputs.map { value in
            guard changing.contains(value) else { return .none }
            return known.insert(value).inserted ? .first : .further
          }))
    }
    self.steps = steps
  }
}

extension Layer {
  /// What it reads of the model, its norm's included.
  var parameters: [Parameter] {
    let own =
      switch operation {
      case .convolution(let convolution): [convolution.weight]
      case .transposedConvolution(let convolution): [convolution.weight]
      case .linear(let linear): [linear.weight, linear.bias].compactMap { $0 }
      case .product(let product):
        [product.layer.weight, product.layer.bias, product.scale].compactMap { $0 }
      case .patchEmbedding(let layer): [layer.weight, layer.bias, layer.scale].compactMap { $0 }
      case .embedding(let layer): [layer.registers, layer.positions].compactMap { $0 }
      case .layerNormalization(let norm), .channelLayerNormalization(let norm, _):
        [norm.weight, norm.bias]
      case .add, .averagePool, .globalAverage, .unblock, .pool, .attention, .map:
        [] as [Parameter]
      }
    let pending =
      switch affine {
      case .identity: [] as [Parameter?]
      case .bias(let bias): [bias]
      case .norm(let norm, let bias): [bias, norm.weight, norm.bias]
      }
    return own + pending.compactMap { $0 }
  }
}
