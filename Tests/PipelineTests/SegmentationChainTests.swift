// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import SWTFormat
import SWTRuntime
import TestSupport
import Testing

@testable import Pipeline
@testable import Preprocessing

/// Sliding window, resampling and labels against nnU-Net's own, around a network without rounding: to the
/// last bit. Goldens: `scripts/lib/fixtures/make_sliding_windows.py`.
@Suite struct SegmentationChainTests {
  static let cases = [
    "mirrored", "folds_and_padding", "slices", "separate_z", "separate_y", "torch",
    "torch_separate_z", "same_size",
  ]

  @Test(arguments: cases, [1, 3])
  func isNNUNets(name: String, threads: Int) throws {
    let golden = try GoldenChain(name)
    let result = try golden.run(threads: threads)
    // PyTorch interpolates in single precision.
    let tolerance = golden.roundsToHalf ? 0 : 2e-6
    #expect(Difference(result.logits, golden.resampled).absolute <= tolerance)
    let hasSameLabels = result.labels == golden.labels
    #expect(hasSameLabels)
  }

  @Test func weightsAreNNUNets() throws {
    let json = try JSONParser.parse(
      MappedFile(path: "\(GoldenChain.folder)/gaussians.json").bytes)
    let entries = try #require(json.array)
    #expect(entries.count == 8)
    for entry in entries {
      let tile = try #require(entry["tile"]?.array).compactMap(\.integer)
      let bits = GaussianWeights(tile: tile).bits
      let bytes = bits.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
      #expect(SHA256.hex(SHA256.digest(of: Bytes(bytes))) == entry["sha256"]?.string, "\(tile)")
    }
  }

  @Test func mirroringsComeInNNUNetsOrder() {
    #expect(
      Mirroring.sets(of: [0, 1, 2]) == [[], [0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]])
    #expect(Mirroring.sets(of: [0, 2]) == [[], [0], [2], [0, 2]])
    #expect(Mirroring.sets(of: []) == [[]])
  }

  @Test func infiniteLogitsAreAnError() throws {
    let golden = try GoldenChain("mirrored")
    #expect(throws: PipelineError(.notFinite)) { try golden.run(threads: 1, offset: .infinity) }
    #expect(throws: PipelineError(.notFinite)) { try golden.run(threads: 1, offset: .nan) }
  }

  @Test func progressCountsEveryRunOfTheNetwork() throws {
    let golden = try GoldenChain("folds_and_padding")
    let window = golden.window(threads: 1)
    var counts: [Int] = []
    try window.run(
      golden.image.values, network: golden.network, progress: { counts.append($0) }, { _ in })
    #expect(window.runCount == 3 * window.framing.windowCount)
    #expect(counts == Array(1...window.runCount))
  }
}

/// A case of `Tests/Fixtures/segmentation/windows`.
struct GoldenChain {
  static let folder = "\(Fixtures.folder)/segmentation/windows"

  let image: NPYArray
  let labels: [UInt16]
  let resampled: [Float]
  let network: ToyNetwork
  private let json: JSONValue
  private let newShape: [Int]

  init(_ name: String) throws {
    let folder = "\(Self.folder)/\(name)"
    json = try JSONParser.parse(MappedFile(path: "\(folder)/case.json").bytes)
    image = try NPYArray(contentsOf: "\(folder)/image.npy")
    let labels = try NPYArray(contentsOf: "\(folder)/labels.npy")
    self.labels = labels.values.map { UInt16($0) }
    newShape = labels.shape
    resampled = try NPYArray(contentsOf: "\(folder)/resampled.npy").values
    network = ToyNetwork(
      channels: image.shape[0], heads: json["heads"]?.integer ?? 0,
      tile: Array(([1] + (json["patch"]?.array ?? []).compactMap(\.integer)).suffix(3)))
  }

  var roundsToHalf: Bool { json["function"]?.string != "resample_torch_fornnunet" }

  private func integers(_ key: String) -> [Int] { json[key]?.array?.compactMap(\.integer) ?? [] }
  private func numbers(_ key: String) -> [Double] { json[key]?.array?.compactMap(\.double) ?? [] }

  func window(threads: Int) -> SlidingWindow {
    SlidingWindow(
      framing: InputFraming(
        .slidingWindow, imageShape: image.shape, patchSize: integers("patch"),
        totalStride: integers("patch").map { _ in 1 }, stepSize: json["step_size"]?.double ?? 0),
      heads: network.heads, folds: json["folds"]?.integer ?? 0,
      mirrorings: Mirroring.sets(of: integers("mirroring_axes")), threads: threads)
  }

  func run(threads: Int, offset: Float = 0) throws -> (labels: [UInt16], logits: [Float]) {
    let window = window(threads: threads)
    let resampling = try LogitsResampling(
      .init(
        function: json["function"]?.string ?? "", keywords: json["keywords"]?.object ?? JSONObject()
      ),
      from: Array(image.shape.dropFirst()), to: newShape, spacing: numbers("spacing"),
      newSpacing: numbers("new_spacing"))
    let geometry = PreparedGeometry(
      shape: image.shape, spacing: numbers("spacing"), originalSpacing: numbers("new_spacing"),
      originalShape: newShape, cropBox: newShape.map { 0..<$0 }, peakByteCount: 0)
    let assembly = try LabelAssembly(
      window, rule: .largest, resampling: resampling,
      placement: ScanPlacement(geometry, transposeForward: [0, 1, 2]), keepsLogits: true)
    var network = network
    network.offset = offset
    try window.run(
      image.values, network: network, progress: { _ in }, { assembly.take($0) })
    return (assembly.labels, assembly.takeLogits())
  }
}

/// The network of `make_sliding_windows.py`.
struct ToyNetwork: WindowNetwork {
  let channels: Int
  let heads: Int
  /// `[z, y, x]` of a window.
  let tile: [Int]
  var offset: Float = 0

  func run(
    _ window: UnsafeBufferPointer<Float>, fold: Int, _ body: (any WindowLogits) -> Void
  ) throws(PipelineError) {
    let size = tile.reduce(1, *)
    var logits: [Float] = []
    for head in 0..<heads {
      let weight = Float(head * 3 % 5 - 2 + fold) / 4
      let slope = Float(head * 2 % 3 - 1) / 4
      for voxel in 0..<size {
        let sum = (0..<channels).reduce(Float(0)) { $0 + window[$1 * size + voxel] }
        logits.append(
          weight * sum + slope * Float(voxel % 5 - 2) + Float(head % 2 - fold) / 8 + offset)
      }
    }
    logits.withUnsafeBufferPointer { logits in
      guard let start = logits.baseAddress else { return }
      body(PlanarLogits(values: start, heads: heads, tile: tile))
    }
  }
}
