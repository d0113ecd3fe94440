// SPDX-License-Identifier: Apache-2.0
import Network
import SWTFormat

@testable import SWTRuntime

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// What is computed over tokens, by its definition.
extension ReferenceNetwork {
  private func numbers(_ parameter: Parameter) -> [Double] {
    values.values(of: parameter).map(Double.init)
  }

  func overTokens(_ layer: Network.Operation.Linear, _ input: Map) -> Map {
    let (outputs, inputs) = (layer.weight.shape[0], layer.weight.shape[1])
    let (weight, bias) = (numbers(layer.weight), layer.bias.map(numbers))
    var result = Map(extent: input.extent, values: [])
    for start in stride(from: 0, to: input.values.count, by: inputs) {
      for output in 0..<outputs {
        result.values.append(
          (0..<inputs).reduce(bias?[output] ?? 0) {
            $0 + weight[output * inputs + $1] * input.values[start + $1]
          })
      }
    }
    return result
  }

  func overTokens(_ node: Graph.Node, _ inputs: [Map]) -> Map {
    let input = inputs[0]
    switch node.operation {
    case .patchEmbedding(let embedding): return patches(embedding, inputs)
    case .embedding(let embedding):
      var values: [Double] = (embedding.registers.map(numbers) ?? []) + input.values
      if let positions = embedding.positions.map(numbers) {
        values = zip(values, positions).map { $0 + $1 }
      }
      return Map(extent: input.extent, values: values)
    case .layerNormalization(let norm): return normalized(input, norm)
    case .attention(let heads, let isRotary):
      return attention(inputs, heads: heads, isRotary: isRotary)
    case .silu: return Map(extent: input.extent, values: input.values.map { $0 / (1 + exp(-$0)) })
    case .gelu:
      return Map(
        extent: input.extent, values: input.values.map { 0.5 * $0 * erfc(-$0 * 0.5.squareRoot()) })
    case .multiply:
      return Map(extent: input.extent, values: zip(input.values, inputs[1].values).map { $0 * $1 })
    case .scale(let parameter):
      let factors = numbers(parameter)
      return Map(
        extent: input.extent,
        values: input.values.enumerated().map { $1 * factors[$0 % factors.count] })
    case .map(let order): return map(node, input, order)
    default: preconditionFailure("\(node.path) is not over tokens")
    }
  }

  /// Tokens of a grid in the order of `positions`.
  private func positions(_ order: Transformer.TokenOrder, _ grid: Extent3) -> [Extent3] {
    switch order {
    case .whd:
      (0..<grid.z).flatMap { z in
        (0..<grid.y).flatMap { y in (0..<grid.x).map { Extent3(z: z, y: y, x: $0) } }
      }
    case .hwd:
      (0..<grid.y).flatMap { y in
        (0..<grid.z).flatMap { z in (0..<grid.x).map { Extent3(z: z, y: y, x: $0) } }
      }
    }
  }

  private func patches(_ embedding: Network.Operation.PatchEmbedding, _ inputs: [Map]) -> Map {
    let kernel = Extent3(embedding.kernelSize)
    let channels = embedding.weight.shape[1]
    let convolution = ReferenceConvolution(
      geometry: ConvolutionGeometry(
        inputs: ChannelBlocks([channels]), outputChannels: embedding.weight.shape[0],
        kernel: kernel, stride: kernel, padding: Extent3(z: 0, y: 0, x: 0), input: inputs[0].extent),
      weights: values.values(of: embedding.weight))
    let grid = inputs[0].extent.combined(with: kernel, /)
    let map = added(
      embedding.bias, to: Map(extent: grid, values: convolution.run(inputs[0].values)))
    let scale = embedding.scale.map { numbers($0)[0] } ?? 1
    var result = Map(extent: grid, values: [])
    for place in positions(embedding.order, grid) {
      let voxel = (place.z * grid.y + place.y) * grid.x + place.x
      for channel in 0..<embedding.weight.shape[0] {
        result.values.append(map.values[channel * grid.count + voxel] * scale)
      }
    }
    if inputs.count > 1 {
      for index in result.values.indices { result.values[index] += inputs[1].values[index] }
    }
    return result
  }

  private func normalized(_ input: Map, _ norm: Network.Operation.LayerNormalization) -> Map {
    let (weight, bias) = (numbers(norm.weight), numbers(norm.bias))
    let width = weight.count
    var result = input
    for start in stride(from: 0, to: input.values.count, by: width) {
      let row = input.values[start..<start + width]
      let mean = row.reduce(0, +) / Double(width)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
      for index in 0..<width {
        result.values[start + index] =
          (row[start + index] - mean) / (variance + norm.eps).squareRoot() * weight[index]
          + bias[index]
      }
    }
    return result
  }

  /// Over the channels of every voxel.
  func normalizedChannels(_ input: Map, _ norm: Network.Operation.LayerNormalization) -> Map {
    let count = input.extent.count
    let channels = input.values.count / count
    var rows = input
    for voxel in 0..<count {
      for channel in 0..<channels {
        rows.values[voxel * channels + channel] = input.values[channel * count + voxel]
      }
    }
    rows = normalized(rows, norm)
    var result = input
    for voxel in 0..<count {
      for channel in 0..<channels {
        result.values[channel * count + voxel] = rows.values[voxel * channels + channel]
      }
    }
    return result
  }

  private func attention(_ inputs: [Map], heads: Int, isRotary: Bool) -> Map {
    let grid = inputs[0].extent
    guard case .tokens(let width, _, let registers) = graph[attentionInput] else {
      return inputs[0]
    }
    let count = registers + grid.count
    let head = width / heads
    func rotated(_ values: [Double]) -> [Double] {
      guard isRotary else { return values }
      var result = values
      let bands = head / 6
      for (place, position) in positions(.whd, grid).enumerated() {
        let axes = [position.z, position.y, position.x]
        for pair in 0..<width / 2 {
          let (axis, band) = (pair % (head / 2) / bands, pair % (head / 2) % bands)
          let angle = Double(axes[axis]) * pow(10_000, -Double(band) / Double(bands))
          let index = (registers + place) * width + 2 * pair
          result[index] = values[index] * cos(angle) - values[index + 1] * sin(angle)
          result[index + 1] = values[index + 1] * cos(angle) + values[index] * sin(angle)
        }
      }
      return result
    }
    let (q, k, v) = (rotated(inputs[0].values), rotated(inputs[1].values), inputs[2].values)
    var result = [Double](repeating: 0, count: q.count)
    for first in stride(from: 0, to: width, by: head) {
      for query in 0..<count {
        let scores = (0..<count).map { key in
          (first..<first + head).reduce(0.0) { $0 + q[query * width + $1] * k[key * width + $1] }
            / Double(head).squareRoot()
        }
        let largest = scores.max() ?? 0
        let weights = scores.map { exp($0 - largest) }
        let total = weights.reduce(0, +)
        for element in first..<first + head {
          result[query * width + element] =
            (0..<count).reduce(0.0) { $0 + weights[$1] * v[$1 * width + element] } / total
        }
      }
    }
    return Map(extent: grid, values: result)
  }

  /// Any sequence of the blocks' width, which says how many registers there are.
  private var attentionInput: Graph.Value {
    graph.nodes.first { if case .attention = $0.operation { true } else { false } }?.output
      ?? graph.input
  }

  private func map(_ node: Graph.Node, _ input: Map, _ order: Transformer.TokenOrder) -> Map {
    let grid = input.extent
    let width = graph.width(of: node.output)
    let registers = input.values.count / width - grid.count
    var result = Map(
      extent: grid, values: [Double](repeating: 0, count: width * grid.count))
    for (token, place) in positions(order, grid).enumerated() {
      let voxel = (place.z * grid.y + place.y) * grid.x + place.x
      for channel in 0..<width {
        result.values[channel * grid.count + voxel] =
          input.values[(registers + token) * width + channel]
      }
    }
    return result
  }
}
