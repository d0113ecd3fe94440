// SPDX-License-Identifier: Apache-2.0
import SWTFormat

@testable import Network
@testable import SWTRuntime

/// A graph drawn by hand, for tests of single passes: 3-D maps, kernels of 3, no weights behind it.
struct GraphSketch {
  private(set) var graph: Graph
  private var count = 0

  init(inputChannels: Int = 16) {
    graph = Graph(inputChannels: inputChannels, dimension: 3)
  }

  var input: Graph.Value { graph.input }

  private func form(channels: Int, like value: Graph.Value, step: Int = 1) -> Graph.Form {
    .map(channels: channels, scale: graph.scale(of: value).map { $0 * step })
  }

  private mutating func path(_ name: String) -> String {
    count += 1
    return "\(name)\(count)"
  }

  mutating func convolution(
    _ input: Graph.Value, channels: Int, stride: Int = 1, bias: Bool = true
  ) -> Graph.Value {
    let path = path("conv")
    let weight = graph.declare(
      "\(path).weight", shape: [channels, graph.width(of: input), 3, 3, 3], .convolutionWeight,
      .encoder)
    let shift =
      bias ? graph.declare("\(path).bias", shape: [channels], .perChannel, .encoder) : nil
    return graph.add(
      .convolution(
        Operation.Convolution(
          weight: weight, bias: shift, stride: [stride, stride, stride], padding: [1, 1, 1])),
      input, path: path, form: form(channels: channels, like: input, step: stride))
  }

  mutating func norm(_ input: Graph.Value) -> Graph.Value {
    graph.add(
      .normalization(
        Operation.ChannelNormalization(weight: nil, bias: nil, running: nil, eps: 1e-5)),
      input, path: path("norm"), form: graph[input])
  }

  mutating func leakyReLU(_ input: Graph.Value, slope: Double = 0.01) -> Graph.Value {
    graph.add(.leakyReLU(slope: slope), input, path: path("relu"), form: graph[input])
  }

  mutating func sum(_ branch: Graph.Value, _ skip: Graph.Value) -> Graph.Value {
    graph.add(.add, branch, skip, path: path("sum"), form: graph[branch])
  }

  mutating func averagePool(_ input: Graph.Value, window: Int) -> Graph.Value {
    graph.add(
      .averagePool(window: [window, window, window]), input, path: path("pool"),
      form: form(channels: graph.width(of: input), like: input, step: window))
  }

  mutating func concatenation(_ first: Graph.Value, _ second: Graph.Value) -> Graph.Value {
    graph.add(
      .concatenate, first, second, path: path("cat"),
      form: form(channels: graph.width(of: first) + graph.width(of: second), like: first))
  }

  mutating func globalAverage(_ input: Graph.Value) -> Graph.Value {
    graph.add(
      .globalAverage, input, path: path("average"), form: .vector(count: graph.width(of: input)))
  }

  /// What the first pass leaves, up to `outputs`.
  func layers(_ outputs: Graph.Value..., maps: [Graph.Value: String] = [:]) -> [Layer] {
    Deferral(graph.nodes(for: outputs), input: graph.input, maps: maps).layers
  }

  func shapes(_ outputs: Graph.Value..., inputShape: [Int]) throws(RuntimeError) -> Shapes {
    try Shapes(graph, nodes: graph.nodes(for: outputs), inputShape: inputShape)
  }
}
