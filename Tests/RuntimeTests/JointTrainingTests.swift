// SPDX-License-Identifier: Apache-2.0
import SWTFormat
import TestSupport
import Testing

@testable import SWTRuntime

/// Cases that go there and back together against the same one by one.
@Suite struct JointTrainingTests {
  /// What a batch comes to: features of every case, and gradients by the state dict's names.
  private struct Batch {
    let algorithms: [String]
    let pooled: [[Float]]
    let gradients: [String: [Float]]
  }

  /// Two batches, of `caseCount` cases and of one less.
  private func batches(
    _ model: Model, _ shape: [Int], together: Int, isDirectOnly: Bool, takesTaps: Bool? = nil
  ) throws -> [Batch] {
    let caseCount = 3
    let stages = model.description.architecture.featuresPerStage
    let width = 2 * stages.reduce(0, +)
    let parameters = try TrainedParameters(
      model, stageCount: stages.count, head: ([Float](repeating: 0, count: width), [0]))
    parameters.clearGradients()
    let session = try TrainingSession(
      model.trainingProgram(
        parameters, stageCount: stages.count, trainedStages: stages.count, inputShape: shape,
        pooling: Classifier.Pooling.all(stageCount: stages.count), cases: together,
        target: Target(
          kernels: try Kernels.chosen(), threads: 2, fewestTrainedProducts: 0,
          takesTaps: takesTaps, isDirectOnly: isDirectOnly)))
    var numbers = TestNumbers(seed: 9)
    return try [caseCount, caseCount - 1].map { count in
      let inputs = (0..<count).map { _ in (0..<shape.reduce(1, *)).map { _ in numbers.next() } }
      let gradients = (0..<count).map { _ in (0..<width).map { _ in numbers.next() } }
      var pooled: [[Float]] = []
      for first in stride(from: 0, to: count, by: together) {
        let cases = first..<min(first + together, count)
        for number in cases { try session.load(inputs[number][...], case: number - first) }
        pooled += try session.forward()
        session.backward(Array(gradients[cases]))
      }
      defer { parameters.clearGradients() }
      return Batch(
        algorithms: (session.program.forward + session.program.backward).map(\.algorithm),
        pooled: pooled,
        gradients: Dictionary(
          uniqueKeysWithValues: parameters.entries.map { ($0.name, parameters.gradient(of: $0)) }))
    }
  }

  /// Plain and residual networks, batch norm, two dimensions, flat kernels; layers of few voxels, whose weights are read
  /// once, and layers that only together have tiles enough.
  @Test(arguments: [
    (NetworkArchitecture.NetworkClass.plainConvUNet, [24, 40], [3, 3, 3], [5, 6, 7], false),
    (.plainConvUNet, [16, 128, 128], [3, 3, 3], [12, 10, 12], false),
    (.residualEncoderUNet, [16, 24, 33], [3, 3, 3], [8, 8, 12], false),
    (.residualEncoderUNet, [64, 72], [3, 3], [10, 12], true),
    (.plainConvUNet, [64, 72], [1, 3, 3], [2, 9, 12], true),
  ])
  func casesComeToTheSameTogether(
    networkClass: NetworkArchitecture.NetworkClass, features: [Int], kernel: [Int], size: [Int],
    isBatchNorm: Bool
  ) throws {
    let model = try Models.random(
      Models.description(
        Models.architecture(
          networkClass, features: features, kernelSize: kernel,
          norm: isBatchNorm ? .batch : .instance)), seed: 4)
    let shape = [1] + size
    let expected = try batches(
      model, shape, together: 1, isDirectOnly: true, takesTaps: false)
    for (isDirectOnly, takesTaps) in [(true, false), (true, true), (false, nil)] {
      let found = try batches(
        model, shape, together: 3, isDirectOnly: isDirectOnly, takesTaps: takesTaps)
      #expect(found.map(\.pooled.count) == [3, 2])
      let hasTiles = found[0].algorithms.contains { $0.contains("winograd") }
      if let takesTaps {
        for kind in ["direct", "weight gradient", "input gradient"] {
          // What reads the network's input has no gradient of it.
          let own = found[0].algorithms.filter { $0.hasPrefix(kind) }
          #expect(!own.isEmpty && own.allSatisfy { $0.hasSuffix("by taps") == takesTaps })
        }
      }
      #expect(hasTiles == (!isDirectOnly && features.contains { $0 >= 64 }))
      for (found, expected) in zip(found, expected) {
        for (own, other) in zip(found.pooled, expected.pooled) {
          #expect(Difference(own, other).relative < 1e-5)
        }
        for (name, gradient) in expected.gradients where gradient.contains(where: { $0 != 0 }) {
          #expect(Difference(found.gradients[name] ?? [], gradient).relative < 5e-5, "\(name)")
        }
      }
    }
  }

  /// The same bytes, twice.
  @Test func batchesAreRepeatable() throws {
    let model = try Models.random(
      Models.description(Models.architecture(.plainConvUNet, features: [16, 128, 128])), seed: 4)
    let first = try batches(model, [1, 12, 10, 12], together: 3, isDirectOnly: false)
    let second = try batches(model, [1, 12, 10, 12], together: 3, isDirectOnly: false)
    #expect(first.map(\.gradients) == second.map(\.gradients))
    #expect(first.map(\.pooled) == second.map(\.pooled))
  }

  /// Large layers gain nothing by running together.
  @Test func activationsThatAreLargeRunAlone() throws {
    let model = try Models.random(
      Models.description(Models.architecture(.plainConvUNet, features: [32, 32])), seed: 4)
    let parameters = try TrainedParameters(
      model, stageCount: 2, head: ([Float](repeating: 0, count: 32), [0]))
    func program(_ size: Int) throws -> TrainingProgram {
      try model.trainingProgram(
        parameters, stageCount: 2, trainedStages: 2, inputShape: [1, size, size, size],
        pooling: [Classifier.Pooling(stage: 1, statistic: .mean)], cases: 4, threads: 1)
    }
    #expect(try program(16).caseCount == 4)
    #expect(try program(96).caseCount == 1)
  }
}
