// SPDX-License-Identifier: Apache-2.0
internal import Network

/// The sizes of all maps and grids of tokens of a graph, for one size of its input.
struct Shapes: Sendable {
  private let graph: Graph
  /// Of every value; `nil` for vectors, and for what is not computed.
  private var extents: [Extent3?]

  /// Infers the sizes of what `nodes` make.
  ///
  /// - Parameters:
  ///   - inputShape: that of `start`.
  ///   - start: what the first of them reads; `nil` for the network's input.
  /// - Throws: `RuntimeError` where the network cannot take an input of that size.
  init(
    _ graph: Graph, nodes: [Graph.Node], inputShape: [Int], start: Graph.Value? = nil
  ) throws(RuntimeError) {
    self.graph = graph
    extents = [Extent3?](repeating: nil, count: graph.valueCount)
    extents[(start ?? graph.input).index] = Extent3(Array(inputShape.dropFirst()))
    for node in nodes {
      do throws(SizeProblem) {
        extents[node.output.index] = try extent(of: node)
      } catch {
        throw RuntimeError(.inputSize(found: inputShape, problem: error.text))
      }
    }
  }

  /// What is wrong with an input's size, as an error message ends.
  private struct SizeProblem: Error {
    let text: String
  }

  subscript(value: Graph.Value) -> Extent3 {
    guard let extent = extents[value.index] else {
      preconditionFailure("only the sizes of maps are asked for, and only of those that are made")
    }
    return extent
  }

  private func extent(of node: Graph.Node) throws(SizeProblem) -> Extent3? {
    let inputs = node.inputs.compactMap { extents[$0.index] }
    guard let input = inputs.first else { return nil }
    switch node.operation {
    case .convolution(let convolution):
      return geometry(convolution, inputs: [node.inputs[0]]).positions
    case .transposedConvolution(let convolution):
      return input.combined(with: Extent3(convolution.stride), *)
    case .normalization(let norm):
      guard norm.running != nil || input.count > 1 else {
        throw SizeProblem(
          text: "leaves one voxel at \(node.path), which instance norm cannot normalise — use a "
            + "larger input")
      }
      return input
    case .leakyReLU: return input
    case .averagePool(let window):
      let output = input.combined(with: Extent3(window), /)
      guard output.count > 0 else {
        throw SizeProblem(text: "is too small for the network's strides")
      }
      return output
    case .add:
      guard inputs[0] == inputs[1] else {
        throw indivisible("cannot be halved as often as the residual encoder does")
      }
      return input
    case .concatenate:
      guard inputs.allSatisfy({ $0 == input }) else {
        throw indivisible("cannot be halved and doubled as often as the network does")
      }
      return input
    case .globalAverage: return nil
    case .patchEmbedding(let embedding):
      guard case .tokens(_, let grid, _) = graph[node.output],
        Extent3(grid).combined(with: Extent3(embedding.kernelSize), *) == input
      else { throw SizeProblem(text: "is not the one size that the transformer takes") }
      return Extent3(grid)
    // Of vectors no size is known; tokens keep their grid.
    case .linear, .embedding, .layerNormalization, .channelLayerNormalization, .attention, .silu,
      .gelu, .multiply, .scale, .map:
      return input
    }
  }

  private func indivisible(_ problem: String) -> SizeProblem {
    let scale = graph.skips.last.map { graph.scale(of: $0) } ?? []
    return SizeProblem(text: "\(problem) — every size must be divisible by \(scale)")
  }

  // MARK: - Convolutions

  /// The sizes of a convolution that reads `inputs`, one map after the other.
  func geometry(
    _ convolution: Operation.Convolution, inputs: [Graph.Value]
  ) -> ConvolutionGeometry {
    ConvolutionGeometry(
      inputs: ChannelBlocks(inputs.map { graph.width(of: $0) }),
      outputChannels: convolution.weight.shape[0], kernel: Extent3(convolution.kernelSize),
      stride: Extent3(convolution.stride), padding: Extent3(padding: convolution.padding),
      input: self[inputs[0]])
  }

  /// The sizes of a transposed convolution: those of a 1×1×1 convolution, whose output channels are
  /// several voxels'.
  func geometry(
    _ convolution: Operation.TransposedConvolution, inputs: [Graph.Value]
  ) -> ConvolutionGeometry {
    let step = Extent3(convolution.stride)
    let blocks = ChannelBlocks([convolution.outputs])
    return ConvolutionGeometry(
      inputs: ChannelBlocks(inputs.map { graph.width(of: $0) }),
      outputChannels: step.count * blocks.paddedChannels, kernel: Extent3(z: 1, y: 1, x: 1),
      stride: Extent3(z: 1, y: 1, x: 1), padding: Extent3(z: 0, y: 0, x: 0),
      input: self[inputs[0]], voxelStep: step)
  }
}
