// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// Makes tokens of the input: by one convolution whose stride is its kernel, or by levels of residual blocks,
/// of which each may add tokens of its own.
///
/// Source: dynamic_network_architectures `PatchEmbed`, `PatchEmbed_deeper`, `PatchEmbedDeeperControlled`.
struct PrimusTokenizer {
  private static let path = "encoder.down_projection"

  private let architecture: NetworkArchitecture
  private let transformer: Transformer
  /// Of the tokens.
  private let form: Graph.Form
  /// The sum of what has been made so far.
  private var tokens: Graph.Value?

  init(_ architecture: NetworkArchitecture, _ transformer: Transformer, form: Graph.Form) {
    self.architecture = architecture
    self.transformer = transformer
    self.form = form
  }

  /// Declares the parameters, adds the operations, and returns the tokens. A level's tokens are made before
  /// the next level, so that its map is needed no longer than it must.
  mutating func build(in graph: inout Graph) -> Graph.Value {
    guard let stem = architecture.stemChannels else {
      return project(graph.input, "proj", kernel: architecture.stages[0].stride, in: &graph)
    }
    let style = BlockStyle(architecture, part: .encoder)
    let stemLevel = Transformer.Level(features: stem, blocks: 1)
    var map = graph.input
    for (index, level) in ([stemLevel] + transformer.levels).enumerated() {
      // The stem's convolutions have a bias, the levels' have none.
      let blocks = StackedResidualBlocks(
        &graph, path: index == 0 ? "\(Self.path).stem" : "\(Self.path).stages.\(index - 1)",
        count: level.blocks, inputs: graph.width(of: map), outputs: level.features,
        kernelSize: [3, 3, 3], stride: index == 0 ? [1, 1, 1] : [2, 2, 2],
        style: style.with(bias: index == 0))
      map = blocks(map, &graph)
      if transformer.hasTokenSkips, index < transformer.levels.count {
        let scale = graph.declare(
          "\(Self.path).scale_proj_to_tokens.\(index)", shape: [], .perChannel, .encoder)
        let size = 1 << (transformer.levels.count - index)
        tokens = project(
          map, "proj_to_tokens.\(index)", kernel: [size, size, size], scale: scale, in: &graph)
      }
    }
    return project(map, "final_proj", kernel: [1, 1, 1], in: &graph)
  }

  private func project(
    _ map: Graph.Value, _ name: String, kernel: [Int], scale: Parameter? = nil,
    in graph: inout Graph
  ) -> Graph.Value {
    let path = "\(Self.path).\(name)"
    let width = architecture.stages[0].features
    let operation = Operation.patchEmbedding(
      Operation.PatchEmbedding(
        weight: graph.declare(
          "\(path).weight", shape: [width, graph.width(of: map)] + kernel, .convolutionWeight,
          .encoder),
        bias: graph.declare("\(path).bias", shape: [width], .perChannel, .encoder), scale: scale,
        order: transformer.tokenOrder))
    if let tokens { return graph.add(operation, map, tokens, path: path, form: form) }
    return graph.add(operation, map, path: path, form: form)
  }
}
