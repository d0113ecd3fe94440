// SPDX-License-Identifier: Apache-2.0
import Network
import SWTFormat

@testable import SWTRuntime

/// A network by its definition, in double precision: operation by operation of its graph, nothing fused,
/// deferred or shared.
struct ReferenceNetwork {
  let graph: Graph
  let values: ParameterValues

  struct Map {
    var extent: Extent3
    /// `[channels][z][y][x]`; a vector has one voxel; tokens of a grid are `[token][width]`.
    var values: [Double]
  }

  /// The values of `outputs` for an input, `[channels][z][y][x]`.
  func run(_ input: [Float], shape: [Int], outputs: [Graph.Value]) -> [[Double]] {
    var maps: [Graph.Value: Map] = [
      graph.input: Map(extent: Extent3(Array(shape.dropFirst())), values: input.map(Double.init))
    ]
    for node in graph.nodes(for: outputs) {
      maps[node.output] = result(of: node, node.inputs.compactMap { maps[$0] })
    }
    return outputs.map { maps[$0]?.values ?? [] }
  }

  private func result(of node: Graph.Node, _ inputs: [Map]) -> Map {
    let input = inputs[0]
    let channels = input.values.count / input.extent.count
    switch node.operation {
    case .convolution(let convolution):
      let geometry = ConvolutionGeometry(
        inputs: ChannelBlocks([channels]), outputChannels: convolution.weight.shape[0],
        kernel: Extent3(convolution.kernelSize), stride: Extent3(convolution.stride),
        padding: Extent3(padding: convolution.padding), input: input.extent)
      let sums = ReferenceConvolution(
        geometry: geometry, weights: values.values(of: convolution.weight)
      ).run(input.values)
      return added(
        convolution.bias, to: Map(extent: geometry.positions, values: sums))
    case .transposedConvolution(let convolution):
      let step = Extent3(convolution.stride)
      if convolution.repeats != nil { return repeated(convolution, input, channels: channels) }
      let sums = ReferenceConvolution.transposed(
        input.values, weights: values.values(of: convolution.weight), inputs: channels,
        outputs: convolution.weight.shape[1], extent: input.extent, step: step)
      return added(
        convolution.bias, to: Map(extent: input.extent.combined(with: step, *), values: sums))
    case .normalization(let norm): return normalized(input, norm, channels: channels)
    case .leakyReLU(let slope):
      return Map(extent: input.extent, values: input.values.map { $0 < 0 ? $0 * slope : $0 })
    case .add:
      return Map(
        extent: input.extent, values: zip(input.values, inputs[1].values).map { $0 + $1 })
    case .concatenate:
      return Map(extent: input.extent, values: inputs.flatMap(\.values))
    case .averagePool(let window): return pooled(input, Extent3(window), channels: channels)
    case .linear(let layer) where layer.weight.role == .tokenWeight:
      return overTokens(layer, input)
    case .channelLayerNormalization(let norm): return normalizedChannels(input, norm)
    case .patchEmbedding, .embedding, .layerNormalization, .attention, .silu, .gelu, .multiply,
      .scale, .map:
      return overTokens(node, inputs)
    case .globalAverage: return pooled(input, input.extent, channels: channels)
    case .linear(let layer):
      let weights = values.weights(of: layer)
      return Map(
        extent: input.extent,
        values: weights.bias.indices.map { row in
          input.values.indices.reduce(Double(weights.bias[row])) {
            $0 + Double(weights.weight[row * channels + $1]) * input.values[$1]
          }
        })
    }
  }

  /// Every voxel some times, then a 1×1 convolution, as PyTorch does it.
  private func repeated(
    _ convolution: Operation.TransposedConvolution, _ input: Map, channels: Int
  ) -> Map {
    let step = Extent3(convolution.stride)
    let extent = input.extent.combined(with: step, *)
    var large = Map(extent: extent, values: [])
    for index in 0..<channels * extent.count {
      let (channel, voxel) = (index / extent.count, index % extent.count)
      let (z, y, x) = (
        voxel / (extent.y * extent.x), voxel / extent.x % extent.y, voxel % extent.x
      )
      let place = (z / step.z * input.extent.y + y / step.y) * input.extent.x + x / step.x
      large.values.append(input.values[channel * input.extent.count + place])
    }
    let ones = Extent3(z: 1, y: 1, x: 1)
    let geometry = ConvolutionGeometry(
      inputs: ChannelBlocks([channels]), outputChannels: convolution.outputs, kernel: ones,
      stride: ones, padding: Extent3(z: 0, y: 0, x: 0), input: extent)
    let sums = ReferenceConvolution(
      geometry: geometry, weights: values.values(of: convolution.weight)
    ).run(large.values)
    return added(convolution.bias, to: Map(extent: extent, values: sums))
  }

  func added(_ bias: Parameter?, to map: Map) -> Map {
    guard let bias else { return map }
    let numbers = values.values(of: bias)
    var map = map
    for index in map.values.indices {
      map.values[index] += Double(numbers[index / map.extent.count])
    }
    return map
  }

  private func normalized(
    _ map: Map, _ norm: Operation.ChannelNormalization, channels: Int
  ) -> Map {
    let count = map.extent.count
    func vector(_ parameter: Parameter?, _ value: Double) -> [Double] {
      parameter.map { values.values(of: $0).map(Double.init) }
        ?? [Double](repeating: value, count: channels)
    }
    let (weight, bias) = (vector(norm.weight, 1), vector(norm.bias, 0))
    let (means, variances) = (vector(norm.running?.mean, 0), vector(norm.running?.variance, 1))
    var result = map
    for channel in 0..<channels {
      let range = channel * count..<(channel + 1) * count
      var (mean, variance) = (means[channel], variances[channel])
      if norm.running == nil {
        mean = map.values[range].reduce(0, +) / Double(count)
        variance = map.values[range].reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
      }
      let factor = weight[channel] / (variance + norm.eps).squareRoot()
      for index in range {
        result.values[index] = (map.values[index] - mean) * factor + bias[channel]
      }
    }
    return result
  }

  private func pooled(_ map: Map, _ window: Extent3, channels: Int) -> Map {
    let extent = map.extent.combined(with: window, /)
    var result = Map(
      extent: extent, values: [Double](repeating: 0, count: channels * extent.count))
    for index in 0..<channels * extent.count {
      let (channel, voxel) = (index / extent.count, index % extent.count)
      let (z, y, x) = (
        voxel / (extent.y * extent.x), voxel / extent.x % extent.y, voxel % extent.x
      )
      for inside in 0..<window.count {
        let (dz, dy, dx) = (
          inside / (window.y * window.x), inside / window.x % window.y, inside % window.x
        )
        let place =
          ((z * window.z + dz) * map.extent.y + y * window.y + dy) * map.extent.x + x * window.x
          + dx
        result.values[index] +=
          map.values[channel * map.extent.count + place] / Double(window.count)
      }
    }
    return result
  }
}
