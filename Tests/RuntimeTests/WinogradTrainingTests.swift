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
        target: Target(
          kernels: try Kernels.chosen(), threads: 2, fewestTrainedProducts: 0,
          isDirectOnly: isDirectOnly)))
    var numbers = TestNumbers(seed: 5)
    var pooled: [Float] = []
    for _ in 0..<2 {
      try session.load((0..<shape.reduce(1, *)).map { _ in numbers.next() }[...], case: 0)
      pooled = try session.forward()[0]
      session.backward([(0..<width).map { _ in numbers.next() }])
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

  /// Odd widths, sizes that no tile divides, a residual network, two dimensions, flat kernels, and a strided layer
  /// that is worth tiles.
  @Test(arguments: [
    (NetworkArchitecture.NetworkClass.plainConvUNet, [67, 72], [3, 3, 3], [7, 9, 11]),
    (.residualEncoderUNet, [64, 80], [3, 3, 3], [8, 10, 6]),
    (.plainConvUNet, [72, 65], [3, 3], [27, 30]), (.plainConvUNet, [64], [1, 3, 3], [3, 21, 20]),
    (.plainConvUNet, [128, 128], [3, 3, 3], [16, 16, 15]),
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
    let strided = found.algorithms.filter { $0.contains("F(2,2)") }
    let isLarge = features == [128, 128]
    #expect(!isLarge || strided.count == 2, "\(strided)")
    #expect(Difference(found.pooled, expected.pooled).relative < 1e-5)
    // Among half a million activations of the large stage some are so near zero that rounding decides their side.
    let compared = expected.gradients.filter { name, gradient in
      gradient.contains { $0 != 0 } && (!isLarge || name.hasPrefix("encoder.stages.1."))
    }
    #expect(!compared.isEmpty)
    for (name, gradient) in compared {
      #expect(Difference(found.gradients[name] ?? [], gradient).relative < 5e-5, "\(name)")
    }
  }

  /// All steps have the errors of a frozen layer before those that learn.
  @Test(arguments: [(trainedStages: 2, isFrozen: false), (1, true), (0, false)])
  func frozenLayersTakeSmallTiles(trainedStages: Int, isFrozen: Bool) throws {
    let model = try Models.random(
      Models.description(Models.architecture(.plainConvUNet, features: [64, 64])), seed: 8)
    let parameters = try TrainedParameters(
      model, stageCount: 2, head: ([Float](repeating: 0, count: 64), [0]))
    let program = try model.trainingProgram(
      parameters, stageCount: 2, trainedStages: trainedStages, inputShape: [1, 16, 16, 16],
      pooling: [Classifier.Pooling(stage: 1, statistic: .mean)],
      target: Target(kernels: try Kernels.chosen(), threads: 2, fewestTrainedProducts: 0))
    let algorithms = program.forward.filter { $0.name.hasPrefix("encoder.stages.0.") }
      .map(\.algorithm).filter { $0.contains("winograd") }
    #expect(!algorithms.isEmpty)
    #expect(algorithms.contains { $0.contains("F(4,3)") } != isFrozen, "\(algorithms)")
  }

  /// Scans of several sizes in one batch: a layer goes another way for each, with the same weights.
  @Test func gradientsOfSeveralSizesAddUp() throws {
    let model = try Models.random(
      Models.description(Models.architecture(.plainConvUNet, features: [64, 64])), seed: 8)
    func gradients(isDirectOnly: Bool) throws -> [String: [Float]] {
      let parameters = try TrainedParameters(
        model, stageCount: 2, head: ([Float](repeating: 0, count: 64), [0]))
      var numbers = TestNumbers(seed: 5)
      for size in [8, 4, 8] {
        let session = try TrainingSession(
          model.trainingProgram(
            parameters, stageCount: 2, trainedStages: 2, inputShape: [1, size, size, size],
            pooling: [Classifier.Pooling(stage: 1, statistic: .mean)],
            target: Target(
              kernels: try Kernels.chosen(), threads: 2, fewestTrainedProducts: 0,
              isDirectOnly: isDirectOnly)))
        let backward = session.program.backward.map(\.algorithm)
        #expect(backward.contains { $0.hasSuffix("staged") } == (size == 8 && !isDirectOnly))
        try session.load((0..<size * size * size).map { _ in numbers.next() }[...], case: 0)
        _ = try session.forward()
        session.backward([(0..<64).map { _ in numbers.next() }])
      }
      return Dictionary(
        uniqueKeysWithValues: parameters.entries.map { ($0.name, parameters.gradient(of: $0)) })
    }
    let found = try gradients(isDirectOnly: false)
    for (name, gradient) in try gradients(isDirectOnly: true)
    where gradient.contains(where: { $0 != 0 }) {
      #expect(Difference(found[name] ?? [], gradient).relative < 5e-5, "\(name)")
    }
  }

  /// Batches come from files: channels, axes and sizes may be any.
  @Test(arguments: [
    [2, 8, 8, 8], [8, 8, 8], [1, 2, 8, 8, 8], [1, 8, 8], [1, 8, 0, 8], [1, 8, 8, 70_000],
    [1, 600, 600, 600], [1, 60_000, 1000, 1],
  ])
  func inputsThatTheStagesCannotTakeAreRefused(shape: [Int]) throws {
    let model = try Models.random(
      Models.description(Models.architecture(.plainConvUNet, features: [8, 8])), seed: 3)
    let parameters = try TrainedParameters(
      model, stageCount: 2, head: ([Float](repeating: 0, count: 8), [0]))
    #expect(throws: RuntimeError.self) {
      try model.trainingProgram(
        parameters, stageCount: 2, trainedStages: 2, inputShape: shape,
        pooling: [Classifier.Pooling(stage: 1, statistic: .mean)], threads: 1)
    }
  }
}
