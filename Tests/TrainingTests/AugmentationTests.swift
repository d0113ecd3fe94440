// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import SWTFormat
import TestSupport
import Testing

@testable import Training

/// Every transform against batchgeneratorsv2, see `Tests/Fixtures/training/augment`.
@Suite struct AugmentationTests {
  private static let folder = "\(Fixtures.folder)/training/augment"

  private static func image(_ name: String) throws -> ChannelImage {
    let array = try NPYArray(contentsOf: "\(folder)/\(name).npy")
    return ChannelImage(
      channels: array.shape[0], shape: Array(array.shape.dropFirst()), values: array.values)
  }

  static let samples: [JSONValue] = {
    let file = try? MappedFile(path: "\(folder)/augment.json")
    return file.flatMap { try? JSONParser.parse($0.bytes).array } ?? []
  }()

  @Test(arguments: samples.indices)
  func everyStepIsThatOfBatchgenerators(index: Int) throws {
    let sample = Self.samples[index]
    var augmentation = Augmentation(try Self.image(#require(sample["input"]?.string)))
    for step in try #require(sample["steps"]?.array) {
      try augmentation.apply(
        AugmentationStep(json: step) { path in try Self.image(path).values })
      let expected = try Self.image(#require(step["output"]?.string))
      #expect(augmentation.image.shape == expected.shape)
      let scale = expected.values.map { Double(abs($0)) }.max() ?? 0
      let difference = Difference(
        augmentation.image.values.map { Double($0) }, expected.values.map { Double($0) }
      ).absolute
      #expect(difference < 1e-5 * max(1, scale), "\(step["name"] ?? .null)")
      // From where batchgeneratorsv2 was, so that rounding does not add up.
      augmentation.replaceImage(expected)
    }
  }

  @Test func samplesAreThere() { #expect(Self.samples.count >= 20) }

  @Test func aViewDependsOnItsNumbersAlone() {
    func transforms(seed: UInt64) -> TrainingTransforms {
      TrainingTransforms(
        shape: [8, 9, 10], patch: [8, 9, 10], channels: 2, mirrorAxes: [0, 1, 2], seed: seed)
    }
    let views = (0..<50).map { transforms(seed: 1).steps(case: $0 / 5, view: $0 % 5) }
    #expect(views == (0..<50).map { transforms(seed: 1).steps(case: $0 / 5, view: $0 % 5) })
    #expect(views != (0..<50).map { transforms(seed: 2).steps(case: $0 / 5, view: $0 % 5) })
    #expect(Set(views.map { "\($0)" }).count > 40)
  }

  /// nnU-Net's probabilities, within four standard deviations of 2,000 draws.
  @Test(arguments: [
    ("noise", 0.1), ("blur", 0.2), ("brightness", 0.15), ("contrast", 0.15),
    ("lowResolution", 0.25), ("gamma", 1 - 0.9 * 0.7),
  ])
  func stepsComeAsOftenAsInNnUNet(name: String, probability: Double) {
    let transforms = TrainingTransforms(
      shape: [4, 4, 4], patch: [4, 4, 4], channels: 1, mirrorAxes: [], seed: 7)
    let count = (0..<2000).count { index in
      transforms.steps(case: index, view: 0).contains { "\($0)".hasPrefix(name) }
    }
    let share = Double(count) / 2000
    #expect(abs(share - probability) < 4 * (probability * (1 - probability) / 2000).squareRoot())
  }

  @Test func slicesOfFlatPatchesAreRotatedInTheirPlane() {
    let transforms = TrainingTransforms(
      shape: [4, 32, 32], patch: [4, 32, 32], channels: 1, mirrorAxes: [], seed: 7)
    #expect(transforms.steps(case: 0, view: 0).first == .to2D)
  }

  @Test(arguments: [
    AugmentationStep.mirror(axes: [3]), .to3D, .blur(channels: [1], sigmas: [[1, 1]]),
    .blur(channels: [0], sigmas: [[0, 1]]), .brightness(channels: [0], multipliers: []),
    .spatial(patch: [4, 4, 4], affine: nil), .spatial(patch: [4, 4], affine: [[1, 0]]),
    .lowResolution(channels: [0], scales: [[0.5, -1]]), .noise(sigma: 1, unit: .given([1])),
    .spatial(patch: [0, 1 << 40], affine: nil),
  ])
  func parametersThatDoNotFitAreRefused(step: AugmentationStep) {
    var augmentation = Augmentation(
      ChannelImage(channels: 1, shape: [3, 4], values: [Float](repeating: 1, count: 12)))
    #expect(throws: TrainingError.self) { try augmentation.apply(step) }
  }
}
