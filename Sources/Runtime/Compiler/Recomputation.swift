// SPDX-License-Identifier: Apache-2.0
/// The stem twice: where a residual block needs the stem's output at its end as well, and its first
/// convolution could write over it, the sum computes it again from the network's input, some planes at a
/// time. The stem reads one or few channels and is cheap.
struct Recomputation {
  /// Spare slices that a layer needs to write over its input; 0 where it cannot.
  let slackSlices: (Layer) -> Int

  func apply(to layers: [Layer]) -> [Layer] {
    var layers = layers
    let readers = layers.readers
    for (index, layer) in layers.enumerated() {
      guard case .add = layer.operation,
        let stem = layers.firstIndex(where: { $0.output == layer.reads[1].stored }),
        case .convolution = layers[stem].operation, layers[stem].readsNetworkInput,
        let others = readers[layers[stem].output]?.filter({ $0 != index }),
        let reader = others.first, others.count == 1, reader < index,
        layers[reader].reads.count == 1, slackSlices(layers[reader]) > 0
      else { continue }
      layers[index].recomputes = Layer.Recomputed(
        layer: stem, reading: layers[index].reads.removeLast())
    }
    return layers
  }
}
