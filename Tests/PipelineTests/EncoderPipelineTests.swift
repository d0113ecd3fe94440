// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import Preprocessing
import SWTFormat
import SWTRuntime
import TestSupport
import Testing

@testable import Pipeline

@Suite struct EncoderPipelineTests {
  private static let scans = "\(Fixtures.repository)/Examples/brain-mri/scans"
  private let all = SessionOutputs(pooled: true, logits: true)

  /// PyTorch ran on what nnU-Net's preprocessing made of the scan.
  @Test(arguments: ["brain_t1", "brain_inverted"])
  func scanToLogitsAgreesWithNNUNetAndPyTorch(name: String) throws {
    let pipeline = try EncoderPipeline(model: Models.example(), outputs: all, threads: 2)
    let logits =
      try pipeline.run(pipeline.read(files: ["\(Self.scans)/\(name).nii.gz"])).logits ?? []
    let expected = try NPYArray(
      contentsOf: "\(Fixtures.repository)/Examples/brain-mri/expected/\(name).logits.npy"
    ).values
    #expect(Difference(logits, expected).relative <= 1e-4)
  }

  @Test func windowsAreAveragedWithEqualWeights() throws {
    let pipeline = try EncoderPipeline(
      model: Models.example(), policy: .slidingWindow, outputs: all, threads: 2)
    let files = ["\(Self.scans)/brain_t1.nii.gz"]
    let image = try pipeline.prepare(pipeline.read(files: files))
    let framing = pipeline.framing(of: image.shape)
    #expect(framing.windowCount == 3 * 3 * 3)
    var calls: [[Int]] = []
    let result = try pipeline.run(pipeline.read(files: files)) { calls.append([$0, $1]) }
    // Told before every layer, and after every window.
    let told = calls.enumerated().filter { $0.offset == 0 || calls[$0.offset - 1] != $0.element }
    #expect(told.map(\.element) == (0...27).map { [$0, 27] })
    let single = try EncoderPipeline(model: Models.example(), outputs: all, threads: 2)
    var sums = [Double](repeating: 0, count: result.pooled.count)
    for index in 0..<framing.windowCount {
      var window = [Float](repeating: 0, count: framing.inputShape.reduce(1, *))
      window.withUnsafeMutableBufferPointer {
        framing.copyWindow(index, of: image.values, into: $0)
      }
      let pooled = try single.run(array: window[...], shape: framing.inputShape, held: 0).pooled
      for feature in pooled.indices { sums[feature] += Double(pooled[feature]) / 27 }
    }
    #expect(Difference(result.pooled, sums).relative <= 1e-6)
    #expect(result.logits == (try Models.example().logits(fromPooled: result.pooled)))
  }

  @Test func everySliceOfAScanGoesThroughATwoDimensionalNetwork() throws {
    let model = try Models.flat()
    let description = model.description
    let spacing = try #require(description.preprocessing.spacing)
    let pipeline = EncoderPipeline(model: model, outputs: all, threads: 2)
    let order = description.preprocessing.transposeForward
    // Made so that nothing is resampled or transposed: three slices of noise.
    #expect(order == [0, 1, 2])
    let shape = [3, 32, 32]
    var state: UInt32 = 7
    func noise() -> Float {
      state = state &* 1_664_525 &+ 1_013_904_223
      return Float(state >> 8) / Float(1 << 24) + 0.5
    }
    let channels = try description.preprocessing.channels.map { _ in
      try Volume(
        shape: shape, spacing: [5] + spacing, values: (0..<3 * 32 * 32).map { _ in noise() })
    }
    let image = try pipeline.prepare(pipeline.makeCase(of: channels))
    #expect(Array(image.shape.dropFirst()) == shape)
    let result = try pipeline.run(image)
    let framing = pipeline.framing(of: image.shape)
    #expect(framing.windowCount == 3 && framing.windowShape.count == 2)
    var sums = [Double](repeating: 0, count: result.pooled.count)
    let channelCount = channels.count
    for slice in 0..<3 {
      var input: [Float] = []
      for channel in 0..<channelCount {
        let start = (channel * 3 + slice) * 32 * 32
        input += image.values[start..<start + 32 * 32]
      }
      let pooled = try pipeline.run(array: input[...], shape: [channelCount, 32, 32], held: 0)
        .pooled
      for feature in pooled.indices { sums[feature] += Double(pooled[feature]) / 3 }
    }
    #expect(Difference(result.pooled, sums).relative <= 1e-6)
    #expect(result.logits == (try model.logits(fromPooled: result.pooled)))
  }

  @Test func memoryIsRefusedBeforeItIsTaken() throws {
    let scan = "\(Self.scans)/brain_t1.nii.gz"
    let pipeline = try EncoderPipeline(
      model: Models.example(), outputs: all, threads: 2, memoryLimit: 90_000_000)
    let estimate = try pipeline.estimate(pipeline.read(files: [scan]))
    #expect(estimate.peakByteCount > 90_000_000)
    #expect(
      throws: PipelineError(
        .memory(
          needed: estimate.peakByteCount, limit: 90_000_000, policy: .whole,
          fitting: [.slidingWindow, .centerCrop]))
    ) { try pipeline.run(pipeline.read(files: [scan])) }
    let tiny = try EncoderPipeline(model: Models.example(), memoryLimit: 1_000_000)
    #expect(throws: PipelineError.self) { _ = try tiny.read(files: [scan]) }
  }

  @Test func severalFoldsAreAveraged() throws {
    let folder = "\(GoldenCase.folder)/s05_three_folds/nnUNet_results/Dataset805_ThreeFolds"
    let path = "\(folder)/nnUNetTrainer__nnUNetPlans__3d_fullres"
    let input: [Float] = (0..<20 * 24 * 24).map { index in Float(index * 37 % 101) / 50 - 1 }
    let outputs = SessionOutputs(stages: [1], pooled: true, segmentation: true)
    func results(_ folds: [String]) throws -> [[Float]] {
      let session = try Models.network(path, folds: folds)
        .makeSession(inputShape: [1, 20, 24, 24], outputs: outputs, threads: 2)
      // Twice, so that nothing is left of the last fold.
      for _ in 0..<2 { try session.run(input) }
      return [
        session.pooled ?? [], session.features(ofStage: 1)?.values ?? [],
        session.segmentation?.values ?? [],
      ]
    }
    let single = try ["0", "1", "2"].map { try results([$0]) }
    let together = try results(["0", "1", "2"])
    for result in together.indices {
      let mean = together[result].indices.map { index in
        single.reduce(0) { $0 + Double($1[result][index]) } / 3
      }
      #expect(mean.count > 0 && Difference(together[result], mean).relative <= 1e-6)
      #expect(Difference(single[0][result], mean).relative > 1e-2)
    }
    let pipeline = try EncoderPipeline(
      model: Models.network(path, folds: ["0", "1", "2"]), threads: 2)
    let output = try pipeline.run(array: input[...], shape: [1, 20, 24, 24], held: 0)
    #expect(Difference(output.pooled, together[0]).relative <= 1e-6)
  }

  @Test func aCaseThatWasPreparedAheadGivesTheSame() throws {
    let pipeline = try EncoderPipeline(model: Models.example(), outputs: all, threads: 2)
    let entries = ["brain_t1", "brain_inverted"].map {
      CaseList.Entry(name: $0, source: .scan(files: ["\(Self.scans)/\($0).nii.gz"]))
    }
    let bad = CaseList.Entry(name: "bad", source: .scan(files: ["/nowhere.nii.gz"]))
    let ahead = CaseAhead(entries + [bad], reader: pipeline.reader)
    #expect(ahead.take(entries[0])?.place == nil)
    ahead.prepare(after: entries[0], held: 0)
    let ready = try #require(ahead.take(entries[1]))
    let logits = try pipeline.run(ready, progress: { _, _ in }).logits ?? []
    #expect(logits == (try pipeline.run(pipeline.read(files: entries[1].files)).logits))
    // What is bad is read again when its turn comes; what does not fit waits for it.
    ahead.prepare(after: entries[1], held: 0)
    #expect(ahead.take(bad)?.place == nil)
    ahead.prepare(after: entries[0], held: .max / 2)
    #expect(ahead.take(entries[1])?.place == nil)
  }

  /// Without a limit of its own, a case may take what the machine has: in Swift as in C.
  @Test func theLimitIsWhatTheMachineHasFreeUnlessGiven() throws {
    let limit = try #require(EncoderPipeline(model: Models.example()).memoryLimit)
    #expect(limit > 1_000_000)
    #expect(try EncoderPipeline(model: Models.example(), memoryLimit: 7).memoryLimit == 7)
  }

  @Test func theGeometryIsKnownBeforehand() throws {
    let pipeline = try EncoderPipeline(model: Models.example(), threads: 2)
    let scan = try pipeline.read(files: ["\(Self.scans)/brain_t1.nii.gz"])
    let geometry = scan.geometry
    #expect(scan.framing.inputShape == [1, 80, 96, 80])
    #expect(try pipeline.prepare(scan).geometry == geometry)
  }

  @Test func theFeaturesOfAStageAreLent() throws {
    let pipeline = try EncoderPipeline(
      model: Models.example(), outputs: SessionOutputs(stages: [3], pooled: true), threads: 2)
    let input = [Float](repeating: 0.5, count: 16 * 16 * 16)
    let pooled = try pipeline.run(array: input[...], shape: [1, 16, 16, 16], held: 0).pooled
    let means = pipeline.withFeatures(ofStage: 3) { shape, values in
      #expect(shape == [64, 2, 2, 2])
      return (0..<64).map { channel in values[channel * 8..<channel * 8 + 8].reduce(0, +) / 8 }
    }
    for (mean, pooled) in zip(try #require(means), pooled) {
      #expect(abs(mean - pooled) <= 1e-5 * max(1, abs(pooled)))
    }
    #expect(pipeline.withFeatures(ofStage: 0) { _, _ in } == nil)
  }

  /// A voxel that is not a number makes no feature, whatever the network does with it.
  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func whatIsNotANumberIsNoResult(value: Float) throws {
    let pipeline = try EncoderPipeline(
      model: Models.example(), outputs: SessionOutputs(stages: [0], pooled: true, logits: true),
      threads: 2)
    var input = (0..<16 * 16 * 16).map { Float($0 % 7) }
    input[1234] = value
    #expect(throws: PipelineError.self) {
      try pipeline.run(array: input[...], shape: [1, 16, 16, 16], held: 0)
    }
    input[1234] = 1
    _ = try pipeline.run(array: input[...], shape: [1, 16, 16, 16], held: 0)
  }
}

@Suite struct ByteCountTests {
  @Test(arguments: [
    ("2G", 2_000_000_000), ("1.5GB", 1_500_000_000), ("800M", 800_000_000), ("4KiB", 4096),
    ("123", 123),
  ])
  func readsSizes(text: String, count: Int) { #expect(ByteCount.parse(text) == count) }

  @Test(arguments: ["", "G", "-1G", "1X", "1i", "0", "9e99", "99999999999T"])
  func refusesOthers(text: String) { #expect(ByteCount.parse(text) == nil) }
}
