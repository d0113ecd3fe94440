// SPDX-License-Identifier: Apache-2.0
import SWTFormat
import Testing

@testable import Network

@Suite struct GraphTests {
  typealias Stage = NetworkArchitecture.Stage

  /// Two stages with a stride of (1, 2, 2) between them, and a decoder.
  static func architecture(
    _ networkClass: NetworkArchitecture.NetworkClass = .plainConvUNet,
    norm: NetworkArchitecture.Normalization.Kind = .instance
  ) -> NetworkArchitecture {
    let isResidual = networkClass != .plainConvUNet
    return NetworkArchitecture(
      networkClass: networkClass, dimension: 3, inputChannels: 2,
      stemChannels: isResidual ? 4 : nil,
      stages: [
        Stage(features: 4, kernelSize: [1, 3, 3], stride: [1, 1, 1], blocks: 1),
        Stage(features: 6, kernelSize: [3, 3, 3], stride: [1, 2, 2], blocks: 1),
      ],
      block: isResidual ? .basic : .convolution, convolutionBias: true,
      normalization: NetworkArchitecture.Normalization(kind: norm, eps: 1e-5, affine: true),
      nonlinearity: NetworkArchitecture.Nonlinearity(kind: .leakyReLU, negativeSlope: 0.01),
      decoder: NetworkArchitecture.Decoder(
        stages: [
          NetworkArchitecture.Decoder.Stage(
            features: 4, kernelSize: [1, 3, 3], upsampling: [1, 2, 2], convolutions: 1)
        ], segmentationHeads: 3, upsamplingBias: true, segmentationBias: true))
  }

  private func names(_ parameters: [Parameter]) -> [String] {
    parameters.map { "\($0.name) \($0.shape)" }
  }

  /// Names, shapes and order are those of `PlainConvUNet.state_dict()`, aliases left out.
  @Test func parametersOfAPlainNetworkAreThoseOfItsStateDict() {
    let graph = Graph(Self.architecture())
    #expect(
      names(graph.parameters(of: .encoder)) == [
        "encoder.stages.0.0.convs.0.conv.weight [4, 2, 1, 3, 3]",
        "encoder.stages.0.0.convs.0.conv.bias [4]",
        "encoder.stages.0.0.convs.0.norm.weight [4]", "encoder.stages.0.0.convs.0.norm.bias [4]",
        "encoder.stages.1.0.convs.0.conv.weight [6, 4, 3, 3, 3]",
        "encoder.stages.1.0.convs.0.conv.bias [6]",
        "encoder.stages.1.0.convs.0.norm.weight [6]", "encoder.stages.1.0.convs.0.norm.bias [6]",
      ])
    #expect(
      names(graph.parameters(of: .decoder)) == [
        "decoder.stages.0.convs.0.conv.weight [4, 8, 1, 3, 3]",
        "decoder.stages.0.convs.0.conv.bias [4]",
        "decoder.stages.0.convs.0.norm.weight [4]", "decoder.stages.0.convs.0.norm.bias [4]",
        "decoder.transpconvs.0.weight [6, 4, 1, 2, 2]", "decoder.transpconvs.0.bias [4]",
        "decoder.seg_layers.0.weight [3, 4, 1, 1, 1]", "decoder.seg_layers.0.bias [3]",
      ])
    #expect(graph.parameters == graph.parameters(of: .encoder) + graph.parameters(of: .decoder))
  }

  /// Projections of residual skips have no bias; batch norm keeps its statistics.
  @Test func parametersOfAResidualNetworkAreThoseOfItsStateDict() {
    let graph = Graph(Self.architecture(.residualEncoderUNet, norm: .batch))
    let found = names(graph.parameters(of: .encoder)).filter { $0.contains("stages.1") }
    func block(_ path: String, _ weight: String, hasBias: Bool) -> [String] {
      ["\(path).conv.weight \(weight)"] + (hasBias ? ["\(path).conv.bias [6]"] : [])
        + ["weight", "bias", "running_mean", "running_var"].map { "\(path).norm.\($0) [6]" }
    }
    let path = "encoder.stages.1.blocks.0"
    #expect(
      found
        == block("\(path).conv1", "[6, 4, 3, 3, 3]", hasBias: true)
        + block("\(path).conv2", "[6, 6, 3, 3, 3]", hasBias: true)
        + block("\(path).skip.1", "[6, 4, 1, 1, 1]", hasBias: false))
  }

  @Test(arguments: [NetworkArchitecture.NetworkClass.plainConvUNet, .residualEncoderUNet])
  func valuesHaveTheirChannelsAndScale(networkClass: NetworkArchitecture.NetworkClass) throws {
    let graph = Graph(Self.architecture(networkClass))
    #expect(graph.skips.map { graph.width(of: $0) } == [4, 6])
    #expect(graph.skips.map { graph.scale(of: $0) } == [[1, 1, 1], [1, 2, 2]])
    let segmentation = try #require(graph.segmentation)
    #expect(graph[segmentation] == .map(channels: 3, scale: [1, 1, 1]))
    #expect(graph.pooled.map { graph[$0] } == .vector(count: 6))
  }

  /// The decoder is in the graph, and costs those nothing who want the encoder.
  @Test func onlyWhatAnOutputNeedsIsComputed() throws {
    let graph = Graph(Self.architecture())
    func paths(_ outputs: [Graph.Value]) -> Set<String> {
      Set(graph.nodes(for: outputs).map(\.path))
    }
    #expect(paths([graph.skips[0]]) == ["encoder.stages.0.0.convs.0"])
    #expect(!paths([try #require(graph.pooled)]).contains { $0.hasPrefix("decoder") })
    #expect(paths([try #require(graph.segmentation)]).contains("decoder.seg_layers.0"))
  }

  /// Every operation reads what comes before it, and every parameter is read once.
  @Test(arguments: [NetworkArchitecture.NetworkClass.plainConvUNet, .residualEncoderUNet])
  func operationsComeInTheOrderInWhichTheyRun(
    networkClass: NetworkArchitecture.NetworkClass
  ) {
    let graph = Graph(Self.architecture(networkClass, norm: .batch))
    var known: Set<Graph.Value> = [graph.input]
    for node in graph.nodes {
      #expect(node.inputs.allSatisfy { known.contains($0) }, "\(node.path)")
      #expect(known.insert(node.output).inserted)
    }
    let read = graph.nodes.flatMap(\.operation.parameters)
    #expect(Set(read).count == read.count)
    #expect(Set(read) == Set(graph.parameters))
  }
}
