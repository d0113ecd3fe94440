// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// Transposed convolutions from the map of tokens up to the input's size, each but the last with a layer norm
/// over channels and a GELU.
///
/// Source: dynamic_network_architectures `PatchDecode`, `LayerNormNd`.
enum PrimusDecoder {
  /// Of `LayerNormNd`.
  private static let eps = 1e-6

  /// Declares the parameters, adds the operations, and returns the segmentation's logits.
  static func build(
    _ decoder: NetworkArchitecture.Decoder, map: Graph.Value, in graph: inout Graph
  ) -> Graph.Value {
    var value = map
    for (index, stage) in decoder.stages.enumerated() {
      let isLast = index == decoder.stages.count - 1
      let path = "decoder.up_projection.decode.\(index)"
      let layer = isLast ? path : "\(path).0"
      let transposed = graph.transposed(
        layer, inputs: graph.width(of: value), outputs: stage.features, kernel: stage.upsampling,
        hasBias: true)
      let form = Graph.Form.map(
        channels: stage.features,
        scale: zip(graph.scale(of: value), stage.upsampling).map { $0 / $1 })
      value = graph.add(
        .transposedConvolution(transposed), value, path: layer, form: form)
      guard !isLast else { break }
      let norm = Operation.LayerNormalization(
        weight: graph.declare(
          "\(path).1.weight", shape: [stage.features], .perChannel, .decoder),
        bias: graph.declare("\(path).1.bias", shape: [stage.features], .perChannel, .decoder),
        eps: eps)
      value = graph.add(.channelLayerNormalization(norm), value, path: "\(path).1", form: form)
      value = graph.add(.gelu, value, path: "\(path).2", form: form)
    }
    return value
  }
}
