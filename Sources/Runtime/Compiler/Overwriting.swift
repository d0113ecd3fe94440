// SPDX-License-Identifier: Apache-2.0
internal import Network

/// Lets layers write over what they read and nothing reads after them: large convolutions some slices
/// before their input, sums over their branch, layers over tokens over what is added or multiplied.
struct Overwriting {
  let graph: Graph
  /// Spare slices that a convolution needs to write over an input; 0 where it cannot, or where little would
  /// be saved.
  let slackSlices: (Layer) -> Int

  func apply(to layers: [Layer]) -> [Layer] {
    var layers = layers
    let readers = layers.readers
    /// The layer whose buffer a value lies in.
    var owners: [Graph.Value: Int] = [:]
    for index in layers.indices {
      let layer = layers[index]
      if layer.isResult { continue }
      owners[layer.output] = index
      let slices: Int
      switch layer.operation {
      case .convolution: slices = slackSlices(layer)
      case .add, .product, .patchEmbedding, .layerNormalization, .channelLayerNormalization,
        .attention:
        slices = 0
      default: continue
      }
      if case .convolution = layer.operation, slices == 0 { continue }
      let candidates = Self.candidates(layer)
      let width = graph.width(of: layer.output)
      let overwritten = candidates.map(\.stored).first { value in
        owners[value] != nil && graph.width(of: value) == width
          && readers[value]?.last == index
          && layer.storedInputs.filter { $0 == value }.count == 1
      }
      guard let overwritten, let owner = owners[overwritten] else { continue }
      layers[index].overwrites = Layer.Overwritten(value: overwritten, slices: slices)
      layers[owner].slackSlices += slices
      owners[layer.output] = owner
    }
    return layers
  }

  /// What a layer may write over, as far as its computation goes.
  private static func candidates(_ layer: Layer) -> ArraySlice<Layer.Reading> {
    switch layer.operation {
    // A sum goes over its branch, which nothing else reads; attention over its queries.
    case .add, .layerNormalization, .channelLayerNormalization, .attention: layer.reads.prefix(1)
    // Over a factor or addend, never the input.
    case .product, .patchEmbedding: layer.reads.dropFirst()
    default: layer.reads[...]
    }
  }
}
