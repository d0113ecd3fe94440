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
    var scan = try pipeline.read(files: ["\(Self.scans)/\(name).nii.gz"])
    let logits = try pipeline.run(pipeline.prepare(scan.takeChannels())).logits ?? []
    let expected = try NPYArray(
      contentsOf: "\(Fixtures.repository)/Examples/brain-mri/expected/\(name).logits.npy"
    ).values
    #expect(Difference(logits, expected).relative <= 1e-4)
  }

  @Test func windowsAreAveragedWithEqualWeights() throws {
    let pipeline = try EncoderPipeline(
      model: Models.example(), policy: .slidingWindow, outputs: all, threads: 2)
    let scan = try pipeline.read(files: ["\(Self.scans)/brain_t1.nii.gz"])
    let image = try pipeline.prepare(scan.channels)
    let framing = pipeline.framing(of: image.shape)
    #expect(framing.windowCount == 3 * 3 * 3)
    var calls: [[Int]] = []
    let result = try pipeline.run(image) { calls.append([$0, $1]) }
    #expect(calls == (1...27).map { [$0, 27] })
    let single = try EncoderPipeline(model: Models.example(), outputs: all, threads: 2)
    var sums = [Double](repeating: 0, count: result.pooled.count)
    for index in 0..<framing.windowCount {
      var window = [Float](repeating: 0, count: framing.inputShape.reduce(1, *))
      window.withUnsafeMutableBufferPointer {
        framing.copyWindow(index, of: image.values, into: $0)
      }
      let pooled = try single.run(array: window[...], shape: framing.inputShape).pooled
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
    let image = try pipeline.prepare(channels)
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
      let pooled = try pipeline.run(array: input[...], shape: [channelCount, 32, 32]).pooled
      for feature in pooled.indices { sums[feature] += Double(pooled[feature]) / 3 }
    }
    #expect(Difference(result.pooled, sums).relative <= 1e-6)
    #expect(result.logits == (try model.logits(fromPooled: result.pooled)))
  }

  @Test func memoryIsRefusedBeforeItIsTaken() throws {
    let scan = "\(Self.scans)/brain_t1.nii.gz"
    let pipeline = try EncoderPipeline(
      model: Models.example(), outputs: all, threads: 2, memoryLimit: 90_000_000)
    let channels = try pipeline.read(files: [scan]).channels
    let plan = try pipeline.plan(channels)
    #expect(plan.peakByteCount > 90_000_000)
    #expect(
      throws: PipelineError.memory(
        needed: plan.peakByteCount, limit: 90_000_000, policy: .whole,
        fitting: [.slidingWindow, .centerCrop])
    ) { try pipeline.checkMemory(plan) }
    let tiny = try EncoderPipeline(model: Models.example(), memoryLimit: 1_000_000)
    #expect(throws: PipelineError.self) { try tiny.read(files: [scan]) }
  }

  @Test func theGeometryIsKnownBeforehand() throws {
    let pipeline = try EncoderPipeline(model: Models.example(), threads: 2)
    let scan = try pipeline.read(files: ["\(Self.scans)/brain_t1.nii.gz"])
    let plan = try pipeline.plan(scan.channels)
    #expect(plan.geometry == (try pipeline.prepare(scan.channels)).geometry)
    #expect(plan.framing.inputShape == [1, 80, 96, 80])
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
