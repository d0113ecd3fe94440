// SPDX-License-Identifier: Apache-2.0
internal import Network
internal import SWTFormat

/// An operation of the graph on its way to an instruction: what passes know of it.
struct Layer: Sendable {
  enum Operation: Sendable {
    case convolution(Network.Operation.Convolution)
    case transposedConvolution(Network.Operation.TransposedConvolution)
    /// Of a branch and a skip, with the nonlinearity that follows.
    case add(slope: Double)
    case averagePool(window: [Int])
    case globalAverage
    case linear(Network.Operation.Linear)
    /// Reads a map, and the tokens that are added where there are some.
    case patchEmbedding(Network.Operation.PatchEmbedding)
    case embedding(Network.Operation.Embedding)
    case layerNormalization(Network.Operation.LayerNormalization)
    /// The same over the channels of a map, with the GELU that may follow.
    case channelLayerNormalization(Network.Operation.LayerNormalization, hasGELU: Bool)
    case product(Product)
    case attention(heads: Int, isRotary: Bool)
    /// The map of a grid's tokens.
    case map(Transformer.TokenOrder)
    /// Hands a map to the caller.
    case unblock
    /// Hands means and maxima of a map to the caller.
    case pool(PooledPlaces)
  }

  /// A linear layer over tokens, with what follows it: `activation(…) · scale · factor + addend`.
  struct Product: Sendable {
    let layer: Network.Operation.Linear
    var isActivated = false
    var scale: Parameter?
    /// Whether there are a factor and an addend: what is read behind the input, in this order.
    var hasFactor = false
    var hasAddend = false
  }

  /// A value as it is read.
  struct Reading: Sendable {
    /// What was written.
    let stored: Graph.Value
    /// Of the nonlinearity that is applied when it is read; 1 for none.
    var slope = 1.0
  }

  /// What readers of an output apply to every channel, before the nonlinearity.
  enum Affine: Sendable {
    case identity
    case bias(Parameter)
    /// With the bias of the convolution that it normalises.
    case norm(Network.Operation.ChannelNormalization, bias: Parameter?)
  }

  /// A layer whose output is not kept, but computed once more.
  struct Recomputed: Sendable {
    let layer: Int
    /// As it would have been read.
    let reading: Reading
  }

  /// An input that an output is written over, so many slices before it.
  struct Overwritten: Sendable {
    let value: Graph.Value
    let slices: Int
  }

  /// For people.
  let path: String
  var operation: Operation
  var reads: [Reading]
  /// What is written.
  let output: Graph.Value
  var affine = Affine.identity
  /// How a convolution is computed.
  var method: ConvolutionMethod?
  /// What an addition computes again, instead of reading it as its skip.
  var recomputes: Recomputed?
  var overwrites: Overwritten?
  /// Spare slices before the output, for those that write over it.
  var slackSlices = 0

  /// Whether it hands something to the caller, and nothing else reads it.
  var isResult: Bool {
    switch operation {
    case .unblock, .pool: true
    default: false
    }
  }

  /// The values that are read, as they were written.
  var storedInputs: [Graph.Value] { reads.map(\.stored) }

  /// Whether it reads the caller's input, which is not blocked.
  var readsNetworkInput: Bool { reads.contains { $0.stored.index == 0 } }
}

extension [Layer] {
  /// Of every stored value the layers that read it.
  var readers: [Graph.Value: [Int]] {
    var result: [Graph.Value: [Int]] = [:]
    for (index, layer) in enumerated() {
      for value in layer.storedInputs { result[value, default: []].append(index) }
    }
    return result
  }
}

extension Shapes {
  /// The sizes of a layer's convolution.
  func geometry(of layer: Layer) -> ConvolutionGeometry {
    switch layer.operation {
    case .convolution(let convolution): geometry(convolution, inputs: layer.storedInputs)
    case .transposedConvolution(let convolution):
      geometry(convolution, inputs: layer.storedInputs)
    default: preconditionFailure("\(layer.path) is no convolution")
    }
  }
}
