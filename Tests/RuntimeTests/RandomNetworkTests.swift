// SPDX-License-Identifier: Apache-2.0
import Network
import SWTFormat
import TestSupport
import Testing

@testable import SWTRuntime

/// Random networks against their definition in double precision, with memory that is checked.
@Suite struct RandomNetworkTests {
  /// A network with its input.
  struct Problem {
    let description: ModelDescription
    let shape: [Int]
    let threads: Int

    /// Plain or residual, 2-D or 3-D, 1 to 3 stages of 1 to 64 channels, kernels 1 to 7, strides 1 to 3.
    init(seed: Int) {
      var numbers = TestNumbers(seed: UInt64(seed) + 100)
      let dimension = numbers.integer(2...3)
      let isResidual = numbers.integer(0...1) == 1
      let isBottleneck = isResidual && numbers.integer(0...2) == 0
      // Few channels or a small extent: the definition is slow.
      let widest = [6, 20, 64][numbers.integer(0...2)]
      var stride: [Int] { (0..<dimension).map { _ in numbers.integer(1...3) } }
      let stages = (0..<numbers.integer(1...3)).map { index in
        let features = numbers.integer(1...widest)
        return NetworkArchitecture.Stage(
          features: features,
          kernelSize: (0..<dimension).map { _ in
            [1, 3, 3, 3, 5, 7][numbers.integer(0...(widest > 20 ? 3 : 5))]
          },
          stride: index == 0 && numbers.integer(0...2) > 0
            ? [Int](repeating: 1, count: dimension) : stride,
          blocks: numbers.integer(1...2),
          bottleneckChannels: isBottleneck ? max(1, features / 2) : nil)
      }
      let norm: NetworkArchitecture.Normalization.Kind =
        numbers.integer(0...1) == 0 ? .instance : .batch
      var architecture = NetworkArchitecture(
        networkClass: isResidual ? .residualEncoderUNet : .plainConvUNet, dimension: dimension,
        inputChannels: numbers.integer(1...3),
        stemChannels: isResidual ? numbers.integer(1...widest) : nil, stages: stages,
        block: isBottleneck ? .bottleneck : isResidual ? .basic : .convolution,
        convolutionBias: numbers.integer(0...1) == 0,
        normalization: NetworkArchitecture.Normalization(
          kind: norm, eps: 1e-5, affine: numbers.integer(0...3) > 0),
        nonlinearity: NetworkArchitecture.Nonlinearity(kind: .leakyReLU, negativeSlope: 0.01))
      let hasDecoder = stages.count > 1 && numbers.integer(0...1) == 0
      if hasDecoder {
        // It ends at the first stage's size, which has to be the input's.
        architecture.stages[0].stride = [Int](repeating: 1, count: dimension)
        architecture.decoder = NetworkArchitecture.Decoder(
          stages: zip(stages.dropLast().reversed(), stages.reversed()).map { skip, below in
            NetworkArchitecture.Decoder.Stage(
              features: skip.features, kernelSize: skip.kernelSize, upsampling: below.stride,
              convolutions: 1)
          }, segmentationHeads: numbers.integer(1...20),
          upsamplingBias: numbers.integer(0...1) == 0,
          segmentationBias: numbers.integer(0...1) == 0)
      }
      if isResidual, hasDecoder, numbers.integer(0...1) == 0 {
        architecture.networkClass = .residualUNet
      }
      description = Models.description(architecture, classes: 2)
      // Residual skips and decoders take sizes that all strides divide; others any.
      let divides = isResidual || hasDecoder
      shape =
        [architecture.inputChannels]
        + architecture.totalStride.enumerated().map { axis, total in
          let least = dimension == 3 && axis == 0 ? 2 : 3
          return divides
            ? total
              * numbers.integer(1...max(1, (dimension == 3 ? 7 : 15) / total) + (total > 4 ? 0 : 1))
            : max(least, total) + numbers.integer(0...(dimension == 3 ? 5 : 12))
        }
      threads = numbers.integer(1...5)
    }
  }

  /// The first that the definition computes in a moment, and whose input the network takes.
  private static let problems: [(seed: Int, Problem)] = (0..<2_000).lazy.compactMap { seed in
    let problem = Problem(seed: seed)
    return problem.cost.map { $0 < 3e6 } == true ? (seed, problem) : nil
  }.prefix(120).map { $0 }

  @Test(arguments: 0..<120)
  func aNetworkIsWhatItsGraphSays(number: Int) throws {
    let (seed, problem) = Self.problems[number]
    let model = try Models.random(problem.description, seed: UInt64(seed))
    let graph = Graph(problem.description)
    var numbers = TestNumbers(seed: UInt64(seed))
    let input = numbers.array(problem.shape.reduce(1, *))
    let expected = ReferenceNetwork(graph: graph, values: model.parameterValues).run(
      input, shape: problem.shape, outputs: problem.outputs)
    for kernels in Kernels.available {
      var target = Target(kernels: kernels, threads: problem.threads)
      target.overwriting = OverwritingRule(smallestActivation: 0, tasksPerThread: 0)
      let program = try model.program(
        inputShape: problem.shape,
        outputs: SessionOutputs(
          stages: Set(graph.skips.indices), pooled: true, logits: true,
          segmentation: graph.segmentation != nil), target: target)
      let session = try Session(program, checksMemory: true)
      try session.run(input)
      #expect(session.memoryFaults.isEmpty)
      let found =
        graph.skips.indices.map { session.features(ofStage: $0)?.values ?? [] }
        + [session.pooled ?? [], session.logits ?? []]
        + (session.segmentation.map { [$0.values] } ?? [])
      try #require(found.count == expected.count)
      for (index, pair) in zip(found, expected).enumerated() {
        let difference = Difference(pair.0, pair.1)
        #expect(
          difference.relative <= 1e-4,
          "seed \(seed), output \(index) of \(problem.shape), \(kernels.name): \(difference)")
      }
    }
  }
}

extension RandomNetworkTests.Problem {
  /// All values that a session gives.
  var outputs: [Graph.Value] {
    let graph = Graph(description)
    return graph.skips + [graph.pooled, graph.logits, graph.segmentation].compactMap { $0 }
  }

  /// Multiplications; `nil` where the network cannot take the input, as PyTorch cannot.
  var cost: Double? {
    let graph = Graph(description)
    let nodes = graph.nodes(for: outputs)
    guard let shapes = try? Shapes(graph, nodes: nodes, inputShape: shape) else { return nil }
    return nodes.reduce(0) { sum, node in
      guard case .convolution(let convolution) = node.operation else { return sum }
      return sum + shapes.geometry(convolution, inputs: [node.inputs[0]]).flops / 2
    }
  }
}
