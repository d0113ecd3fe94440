// SPDX-License-Identifier: Apache-2.0
import SWTFormat
import TestSupport
import Testing

@testable import SWTRuntime

/// Forward and backward passes by Winograd's algorithm against those of direct convolutions, which are held to PyTorch's.
@Suite struct WinogradTrainingTests {
  private struct Passes {
    let algorithms: [String]
    let pooled: [Float]
    /// By the state dict's names.
    let gradients: [String: [Float]]
  }

  /// All stages of a network, twice, so that gradients are added up.
  private func passes(_ model: Model, _ shape: [Int], isDirectOnly: Bool) throws -> Passes {
    let stages = model.description.architecture.featuresPerStage
    let pooling = Classifier.Pooling.all(stageCount: stages.count)
    let width = 2 * stages.reduce(0, +)
    let parameters = try TrainedParameters(
      model, stageCount: stages.count, head: ([Float](repeating: 0, count: width), [0]))
    let session = try TrainingSession(
      model.trainingProgram(
        parameters, stageCount: stages.count, trainedStages: stages.count, inputShape: shape,
        pooling: pooling,
        target: Target(kernels: try Kernels.chosen(), threads: 2, isDirectOnly: isDirectOnly)))
    var numbers = TestNumbers(seed: 5)
    var pooled: [Float] = []
    for _ in 0..<2 {
      pooled = try session.forward(
        (0..<shape.reduce(1, *)).map { _ in numbers.next() }[...])
      session.backward((0..<width).map { _ in numbers.next() })
      // Transposed weights follow.
      let entry = try #require(parameters.entries.first { $0.shape.count > 2 && $0.group == 1 })
      parameters.setValues(parameters.values(of: entry).map { $0 * 1.5 }, of: entry)
    }
    return Passes(
      algorithms: (session.program.forward + session.program.backward).map(\.algorithm),
      pooled: pooled,
      gradients: Dictionary(
        uniqueKeysWithValues: parameters.entries.map { ($0.name, parameters.gradient(of: $0)) }))
  }

  /// Odd widths, sizes that no tile divides, a residual network, two dimensions, flat kernels.
  @Test(arguments: [
    (NetworkArchitecture.NetworkClass.plainConvUNet, [67, 72], [3, 3, 3], [7, 9, 11]),
    (.residualEncoderUNet, [64, 80], [3, 3, 3], [8, 10, 6]),
    (.plainConvUNet, [72, 65], [3, 3], [27, 30]), (.plainConvUNet, [64], [1, 3, 3], [3, 21, 20]),
  ])
  func winogradsGradientsAreThoseOfDirectConvolution(
    networkClass: NetworkArchitecture.NetworkClass, features: [Int], kernel: [Int], size: [Int]
  ) throws {
    let model = try Models.random(
      Models.description(
        Models.architecture(networkClass, features: features, kernelSize: kernel)), seed: 8)
    let found = try passes(model, [1] + size, isDirectOnly: false)
    let expected = try passes(model, [1] + size, isDirectOnly: true)
    #expect(!expected.algorithms.contains { $0.contains("winograd") })
    #expect(found.algorithms.contains { $0.contains("staged") })
    #expect(found.algorithms.contains { $0.hasSuffix(") weight gradient") })
    #expect(Difference(found.pooled, expected.pooled).relative < 1e-5)
    for (name, gradient) in expected.gradients where gradient.contains(where: { $0 != 0 }) {
      #expect(Difference(found.gradients[name] ?? [], gradient).relative < 5e-5, "\(name)")
    }
  }
}
