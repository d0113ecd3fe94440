// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// A tokenizer, blocks of attention and MLPs over its tokens, and the map that their tokens are at the end.
///
/// Source: dynamic_network_architectures `Primus`, `PrimusV2`, `PrimusV3` and timm's `Eva` inside.
enum PrimusEncoder {
  /// Declares the parameters, adds the operations, and returns the one stage's features.
  static func build(_ architecture: NetworkArchitecture, in graph: inout Graph) -> [Graph.Value] {
    guard let transformer = architecture.transformer, let stage = architecture.stages.first else {
      return []
    }
    let (width, registers) = (stage.features, transformer.registers)
    let grid = architecture.grid
    let image = Graph.Form.tokens(width: width, grid: grid, registers: 0)
    let all = Graph.Form.tokens(width: width, grid: grid, registers: registers)
    var tokenizer = PrimusTokenizer(architecture, transformer, form: image)
    var tokens = tokenizer.build(in: &graph)
    let registerTokens =
      registers > 0
      ? graph.declare(
        "encoder.register_tokens", shape: [1, registers, width], .embedding, .encoder)
      : nil
    let embedding =
      transformer.hasPositionEmbedding
      ? graph.declare(
        "encoder.eva.pos_embed", shape: [1, registers + grid.reduce(1, *), width], .embedding,
        .encoder) : nil
    if registerTokens != nil || embedding != nil {
      tokens = graph.add(
        .embedding(Operation.Embedding(registers: registerTokens, positions: embedding)), tokens,
        path: "encoder.eva.pos_embed", form: all)
    }
    for index in 0..<stage.blocks {
      let block = EvaBlock(
        &graph, path: "encoder.eva.blocks.\(index)", width: width, transformer: transformer)
      tokens = block(tokens, &graph)
    }
    tokens = graph.normalized(tokens, path: "encoder.eva.norm", width: width)
    return [
      graph.add(
        .map(transformer.tokenOrder), tokens, path: "encoder.eva",
        form: .map(channels: width, scale: stage.stride))
    ]
  }
}

/// `x + γ₁ · attention(norm(x))`, then `x + γ₂ · mlp(norm(x))`.
///
/// Source: timm `EvaBlock`, `EvaAttention` (keys without bias), `SwiGLU` (with a norm inside).
private struct EvaBlock {
  private let path: String
  private let width: Int
  private let transformer: Transformer

  init(_ graph: inout Graph, path: String, width: Int, transformer: Transformer) {
    self.path = path
    self.width = width
    self.transformer = transformer
  }

  /// Declares the parameters and adds the operations.
  func callAsFunction(_ input: Graph.Value, _ graph: inout Graph) -> Graph.Value {
    let value = branch(input, scale: "gamma_1", &graph, attention)
    return branch(value, scale: "gamma_2", &graph, mlp)
  }

  private func branch(
    _ input: Graph.Value, scale name: String, _ graph: inout Graph,
    _ body: (Graph.Value, inout Graph) -> Graph.Value
  ) -> Graph.Value {
    let gamma =
      transformer.hasLayerScale
      ? graph.declare("\(path).\(name)", shape: [width], .perChannel, .encoder) : nil
    let norm = name == "gamma_1" ? "norm1" : "norm2"
    var value = graph.normalized(input, path: "\(path).\(norm)", width: width)
    value = body(value, &graph)
    if let gamma {
      value = graph.add(.scale(gamma), value, path: "\(path).\(name)", form: graph[value])
    }
    return graph.add(.add, value, input, path: "\(path).add", form: graph[input])
  }

  private func attention(_ input: Graph.Value, _ graph: inout Graph) -> Graph.Value {
    let path = "\(path).attn"
    let q = graph.linear(input, path: "\(path).q_proj", outputs: width)
    let k = graph.linear(input, path: "\(path).k_proj", outputs: width, hasBias: false)
    let v = graph.linear(input, path: "\(path).v_proj", outputs: width)
    var value = graph.add(
      .attention(heads: transformer.heads, isRotary: transformer.hasRotary), q, k, v, path: path,
      form: graph[input])
    if transformer.hasInnerNorm {
      value = graph.normalized(value, path: "\(path).norm", width: width)
    }
    return graph.linear(value, path: "\(path).proj", outputs: width)
  }

  private func mlp(_ input: Graph.Value, _ graph: inout Graph) -> Graph.Value {
    let path = "\(path).mlp"
    let hidden = transformer.hiddenFeatures
    let gate = graph.linear(input, path: "\(path).fc1_g", outputs: hidden)
    let active = graph.add(.silu, gate, path: "\(path).act", form: graph[gate])
    let value = graph.linear(input, path: "\(path).fc1_x", outputs: hidden)
    let product = graph.add(.multiply, value, active, path: "\(path).act", form: graph[gate])
    let normal = graph.normalized(product, path: "\(path).norm", width: hidden)
    return graph.linear(normal, path: "\(path).fc2", outputs: width)
  }
}

extension Graph {
  /// Every Primus' layer norms have this.
  private static let eps = 1e-5

  /// Layer norm over tokens.
  fileprivate mutating func normalized(_ input: Value, path: String, width: Int) -> Value {
    let norm = Operation.LayerNormalization(
      weight: declare("\(path).weight", shape: [width], .perChannel, .encoder),
      bias: declare("\(path).bias", shape: [width], .perChannel, .encoder), eps: Self.eps)
    return add(.layerNormalization(norm), input, path: path, form: self[input])
  }

  /// A linear layer over tokens.
  fileprivate mutating func linear(
    _ input: Value, path: String, outputs: Int, hasBias: Bool = true
  ) -> Value {
    guard case .tokens(let inputs, let grid, let registers) = self[input] else { return input }
    let layer = Operation.Linear(
      weight: declare("\(path).weight", shape: [outputs, inputs], .tokenWeight, .encoder),
      bias: hasBias ? declare("\(path).bias", shape: [outputs], .perChannel, .encoder) : nil)
    return add(
      .linear(layer), input, path: path,
      form: .tokens(width: outputs, grid: grid, registers: registers))
  }
}
