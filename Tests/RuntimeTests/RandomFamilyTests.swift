// SPDX-License-Identifier: Apache-2.0
import Network
import SWTFormat
import TestSupport
import Testing

@testable import SWTRuntime

/// Random Primus, STU-Net and DynUNet networks against their definition in double precision, with memory that
/// is checked.
@Suite struct RandomFamilyTests {
  private static func transformer(seed: Int) -> NetworkArchitecture {
    var numbers = TestNumbers(seed: UInt64(seed) + 7)
    let heads = numbers.integer(1...3)
    let isRotary = numbers.integer(0...3) > 0
    let width = heads * (isRotary ? 6 : 2) * numbers.integer(1...4)
    let levels = (0..<numbers.integer(0...2)).map { _ in
      Transformer.Level(features: numbers.integer(1...20), blocks: numbers.integer(1...2))
    }
    let patchSize =
      levels.isEmpty
      ? (0..<3).map { _ in numbers.integer(1...4) }
      : [Int](repeating: 1 << levels.count, count: 3)
    let grid = (0..<3).map { _ in numbers.integer(1...3) + (levels.isEmpty ? 0 : 1) }
    var architecture = NetworkArchitecture(
      inputChannels: [1, 2, 17][numbers.integer(0...2)], features: width, patchSize: patchSize,
      depth: numbers.integer(1...2), stemChannels: levels.isEmpty ? nil : numbers.integer(1...20),
      nonlinearity: NetworkArchitecture.Nonlinearity(
        kind: .leakyReLU, negativeSlope: [0, 0.01][numbers.integer(0...1)]),
      transformer: Transformer(
        inputSize: zip(grid, patchSize).map { $0 * $1 }, heads: heads,
        hiddenFeatures: numbers.integer(1...40), registers: max(0, numbers.integer(-2...3)),
        hasRotary: isRotary, hasPositionEmbedding: numbers.integer(0...2) > 0,
        hasLayerScale: numbers.integer(0...1) == 0, hasInnerNorm: numbers.integer(0...1) == 0,
        tokenOrder: numbers.integer(0...1) == 0 ? .whd : .hwd, levels: levels,
        hasTokenSkips: !levels.isEmpty && numbers.integer(0...1) == 0))
    let exponents = patchSize.map { $0.trailingZeroBitCount }
    let layers = exponents.max() ?? 0
    guard layers > 0, zip(patchSize, exponents).allSatisfy({ $0 == 1 << $1 }) else {
      return architecture
    }
    architecture.decoder = NetworkArchitecture.Decoder(
      upProjection: (0..<layers).map { index in
        (numbers.integer(1...40), exponents.map { $0 > index ? 2 : 1 })
      })
    return architecture
  }

  private static func convolutional(seed: Int) -> NetworkArchitecture {
    var numbers = TestNumbers(seed: UInt64(seed) + 3)
    let isSTUNet = numbers.integer(0...1) == 0
    let dimension = isSTUNet ? 3 : numbers.integer(2...3)
    var architecture = NetworkArchitecture(
      networkClass: isSTUNet ? .stuNet : .dynUNet, dimension: dimension,
      inputChannels: numbers.integer(1...3),
      stages: (0..<numbers.integer(1...3)).map { _ in
        NetworkArchitecture.Stage(
          features: numbers.integer(1...20),
          kernelSize: (0..<dimension).map { _ in [1, 3, 5][numbers.integer(0...(isSTUNet ? 1 : 2))]
          },
          stride: (0..<dimension).map { _ in numbers.integer(1...3) },
          blocks: isSTUNet ? numbers.integer(1...2) : 1)
      },
      block: isSTUNet ? .basicRes : numbers.integer(0...1) == 0 ? .unetBasic : .unetRes,
      convolutionBias: isSTUNet,
      normalization: NetworkArchitecture.Normalization(kind: .instance, eps: 1e-5, affine: true),
      nonlinearity: NetworkArchitecture.Nonlinearity(kind: .leakyReLU, negativeSlope: 0.01))
    guard architecture.stages.count > 1 else { return architecture }
    // A decoder ends at the first stage's size, which has to be the input's.
    architecture.stages[0].stride = [Int](repeating: 1, count: dimension)
    let stages = architecture.stages
    architecture.decoder = NetworkArchitecture.Decoder(
      stages: zip(stages.dropLast().reversed(), stages.reversed()).map { stage, below in
        NetworkArchitecture.Decoder.Stage(
          features: stage.features, kernelSize: (isSTUNet ? stage : below).kernelSize,
          upsampling: below.stride, convolutions: isSTUNet ? numbers.integer(1...2) : 2)
      },
      segmentationHeads: numbers.integer(1...20),
      upsamplingBias: isSTUNet || numbers.integer(0...1) == 0, segmentationBias: true)
    return architecture
  }

  @Test(arguments: 0..<30)
  func aTransformerIsWhatItsGraphSays(seed: Int) throws {
    let architecture = Self.transformer(seed: seed)
    try expectDefinition(
      architecture,
      shape: [architecture.inputChannels] + (architecture.transformer?.inputSize ?? []),
      seed: seed)
  }

  @Test(arguments: 0..<30)
  func anotherFamilyIsWhatItsGraphSays(seed: Int) throws {
    let architecture = Self.convolutional(seed: seed)
    var numbers = TestNumbers(seed: UInt64(seed))
    let sizes = architecture.totalStride.map { $0 * numbers.integer(2...3) }
    // The definition takes long where a decoder computes at full resolution.
    guard sizes.reduce(1, *) <= (architecture.decoder == nil ? 3_000 : 600) else { return }
    try expectDefinition(architecture, shape: [architecture.inputChannels] + sizes, seed: seed)
  }

  private func expectDefinition(
    _ architecture: NetworkArchitecture, shape: [Int], seed: Int
  ) throws {
    var description = Models.description(architecture, classes: 2)
    if let size = architecture.transformer?.inputSize { description.preprocessing.patchSize = size }
    let model = try Models.random(description, seed: UInt64(seed))
    let graph = Graph(description)
    var numbers = TestNumbers(seed: UInt64(seed))
    let input = numbers.array(shape.reduce(1, *))
    let outputs = graph.skips + [graph.pooled, graph.logits, graph.segmentation].compactMap { $0 }
    guard (try? Shapes(graph, nodes: graph.nodes(for: outputs), inputShape: shape)) != nil else {
      return
    }
    let expected = ReferenceNetwork(graph: graph, values: model.parameterValues).run(
      input, shape: shape, outputs: outputs)
    for kernels in Kernels.available {
      let program = try model.program(
        inputShape: shape,
        outputs: SessionOutputs(
          stages: Set(graph.skips.indices), pooled: true, logits: true,
          segmentation: graph.segmentation != nil),
        target: Target(kernels: kernels, threads: 1 + seed % 3))
      let session = try Session(program, checksMemory: true)
      // Twice: a run must leave nothing behind that the next one meets.
      for _ in 0..<2 { try session.run(input) }
      #expect(session.memoryFaults.isEmpty)
      let found =
        graph.skips.indices.map { session.features(ofStage: $0)?.values ?? [] }
        + [session.pooled, session.logits, session.segmentation?.values].compactMap { $0 }
      try #require(found.count == expected.count)
      for (index, pair) in zip(found, expected).enumerated() {
        let difference = Difference(pair.0, pair.1)
        #expect(
          difference.relative <= 1e-4,
          "output \(index) of \(architecture), \(kernels.name): \(difference)")
      }
      guard let segmentation = session.segmentation else { continue }
      var slabs = SessionOutputs(pooled: false)
      slabs.segmentationSlabs = true
      let other = try Session(
        model.program(
          inputShape: shape, outputs: slabs, target: Target(kernels: kernels, threads: 2)),
        checksMemory: true)
      try other.run(input)
      let planes = other.segmentationOfSlabs(shape: segmentation.shape)
      #expect(other.memoryFaults.isEmpty)
      #expect(Difference(planes, segmentation.values).relative <= 1e-5)
    }
  }
}
