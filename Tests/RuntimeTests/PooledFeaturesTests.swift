// SPDX-License-Identifier: Apache-2.0
import Network
import SWTFormat
import TestSupport
import Testing

@testable import SWTRuntime

/// Means and maxima of stages, over all voxels and over a region, against those of the stages' maps.
@Suite struct PooledFeaturesTests {
  private static let statistics: [Classifier.Pooling.Statistic] = [
    .mean, .max, .nonzeroMean, .nonzeroMax,
  ]

  private static func model(_ networkClass: NetworkArchitecture.NetworkClass) throws -> Model {
    try Models.random(
      Models.description(Models.architecture(networkClass, features: [5, 18, 33])), seed: 4)
  }

  private func run(
    _ model: Model, _ shape: [Int], _ outputs: SessionOutputs, region: PoolingRegion? = nil
  ) throws -> Session {
    let session = try Session(
      model.program(inputShape: shape, outputs: outputs, threads: 2), checksMemory: true)
    session.region = region
    var numbers = TestNumbers(seed: 7)
    try session.run((0..<shape.reduce(1, *)).map { _ in numbers.next() })
    #expect(session.memoryFaults.isEmpty, "\(session.memoryFaults)")
    return session
  }

  /// A ball in the middle, cut by the border.
  private func ball(_ sizes: [Int]) -> [Float] {
    (0..<sizes.reduce(1, *)).map { index in
      var (left, distance) = (index, 0.0)
      for size in sizes.reversed() {
        let place = 2 * (Double(left % size) + 0.5) / Double(size) - 1.1
        distance += place * place
        left /= size
      }
      return distance < 0.7 ? 1 : 0
    }
  }

  @Test(arguments: [
    (NetworkArchitecture.NetworkClass.plainConvUNet, [1, 12, 16, 20]),
    (.residualEncoderUNet, [1, 16, 8, 24]), (.plainConvUNet, [1, 13, 9, 11]),
  ])
  func equalThoseOfTheMaps(
    networkClass: NetworkArchitecture.NetworkClass, shape: [Int]
  ) throws {
    let model = try Self.model(networkClass)
    let pooling = Classifier.Pooling.every(Self.statistics, stageCount: 3)
    let mask = ball(Array(shape.dropFirst()))
    let region = try model.region(of: mask, inputShape: shape, pooling: pooling)
    var outputs = SessionOutputs(pooled: false)
    outputs.pooling = pooling
    let found = try #require(
      try run(model, shape, outputs, region: region).pooledFeatures)
    let maps = try run(model, shape, SessionOutputs(stages: [0, 1, 2], pooled: false))
    var expected: [Double] = []
    for stage in 0..<3 {
      let (shape, values) = try #require(maps.features(ofStage: stage))
      let count = shape.dropFirst().reduce(1, *)
      let inside = region.contains(ofStage: stage, count: count)
      for statistic in Self.statistics {
        for channel in 0..<shape[0] {
          let all = values[channel * count..<(channel + 1) * count].map { Double($0) }
          let some = statistic.isOfNonzero ? zip(all, inside).filter(\.1).map(\.0) : all
          let isMean = statistic == .mean || statistic == .nonzeroMean
          expected.append(
            isMean ? some.reduce(0, +) / Double(some.count) : try #require(some.max()))
        }
      }
    }
    #expect(Difference(found, expected).relative < 1e-6)
    // Maps that nobody asked for are not kept.
    let both = SessionOutputs(stages: [0, 1, 2], pooled: false)
    let sizes = try [outputs, both].map {
      try model.program(inputShape: shape, outputs: $0, threads: 2).activationByteCount
    }
    #expect(sizes[0] <= sizes[1])
  }

  /// `AdaptiveAvgPool` of the mask, at least one half.
  @Test(arguments: [
    ([8, 6, 10], [4, 3, 5]), ([7, 9, 5], [4, 5, 3]), ([9, 7], [3, 4]), ([5, 5, 5], [1, 1, 1]),
  ])
  func aStageLiesInsideByHalves(sizes: [Int], stageSizes: [Int]) {
    let mask = ball(sizes)
    let region = PoolingRegion(mask: mask, sizes: sizes, stageSizes: [0: stageSizes])
    let count = stageSizes.reduce(1, *)
    let expected = (0..<count).map { output in
      var (left, place) = (output, [Int]())
      for size in stageSizes.reversed() {
        place.insert(left % size, at: 0)
        left /= size
      }
      var (inside, all) = (0, 0)
      for input in mask.indices {
        var (left, isPart) = (input, true)
        for axis in sizes.indices.reversed() {
          let (index, size, outputs) = (left % sizes[axis], sizes[axis], stageSizes[axis])
          let first = place[axis] * size / outputs
          let end = ((place[axis] + 1) * size + outputs - 1) / outputs
          isPart = isPart && (first..<end).contains(index)
          left /= size
        }
        if isPart { (inside, all) = (inside + (mask[input] > 0 ? 1 : 0), all + 1) }
      }
      return 2 * inside >= all
    }
    let found = region.contains(ofStage: 0, count: count)
    #expect(found == (expected.contains(true) ? expected : expected.map { _ in true }))
  }

  @Test func allVoxelsCountWhereNoneIsInside() {
    let region = PoolingRegion(
      mask: [Float](repeating: 0, count: 64), sizes: [4, 4, 4], stageSizes: [1: [2, 2, 2]])
    #expect(region.contains(ofStage: 1, count: 8) == [Bool](repeating: true, count: 8))
  }

  /// The gradient of features of a region, against differences of what they are.
  @Test func gradientsAreThoseOfTheRegion() throws {
    let model = try Self.model(.plainConvUNet)
    let pooling = [
      Classifier.Pooling(stage: 1, statistic: .nonzeroMax),
      Classifier.Pooling(stage: 2, statistic: .nonzeroMean),
      Classifier.Pooling(stage: 2, statistic: .mean),
    ]
    let width = 18 + 2 * 33
    let parameters = try TrainedParameters(
      model, stageCount: 2, head: ([Float](repeating: 0, count: width), [0]))
    let shape = [5, 6, 8, 10]
    let session = try TrainingSession(
      model.trainingProgram(
        parameters, stageCount: 2, trainedStages: 2, inputShape: shape, pooling: pooling,
        threads: 2))
    let region = try model.region(
      of: ball([6, 8, 10]), inputShape: [1, 6, 8, 10], pooling: pooling)
    var numbers = TestNumbers(seed: 3)
    let input = (0..<shape.reduce(1, *)).map { _ in numbers.next() }
    let gradient = (0..<width).map { _ in numbers.next() }
    func value() throws -> Double {
      try session.load(input[...], case: 0, region: region)
      return zip(try session.forward()[0], gradient).reduce(0) { $0 + Double($1.0 * $1.1) }
    }
    _ = try value()
    session.backward([gradient])
    for name in ["encoder.stages.1.0.convs.0.norm.weight", "encoder.stages.2.0.convs.0.norm.bias"] {
      let entry = try #require(parameters[name])
      let found = parameters.gradient(of: entry)
      let start = parameters.values(of: entry)
      let expected = try start.indices.map { index in
        let step: Float = 2e-3
        let ends = try [step, -step].map { step in
          var moved = start
          moved[index] += step
          parameters.setValues(moved, of: entry)
          return try value()
        }
        return (ends[0] - ends[1]) / Double(2 * step)
      }
      parameters.setValues(start, of: entry)
      #expect(Difference(found, expected).relative < 2e-2, "\(name)")
    }
  }
}
