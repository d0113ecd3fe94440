// SPDX-License-Identifier: Apache-2.0
import FileIO
import Preprocessing
import SWTFormat
import TestSupport
import Testing

/// What `nnrun plan` says of memory is what runs keep to.
@Suite struct MemoryPromiseTests {
  private let folder: TemporaryFolder
  private let model: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder.file("m.swt")
    let head = "\(Fixtures.repository)/Examples/brain-mri/head.pth"
    let result = try Command.run(
      "nnconvert",
      ["convert", Fixtures.exampleCheckpoint, "--part", "network", "--head", head, "-o", model])
    #expect(result.status == 0, "\(result.errors)")
  }

  /// Noise, which nothing can be left out of.
  private func scan(shape: [Int], spacing: [Double]) throws -> String {
    let path = folder.file("scan.nii.gz")
    var state: UInt32 = 1
    let values = (0..<shape.reduce(1, *)).map { _ -> Float in
      state = state &* 1_664_525 &+ 1_013_904_223
      return Float(state >> 20)
    }
    let affine = (0..<3).map { row in (0..<3).map { $0 == row ? spacing[2 - row] : 0 } + [0] }
    try NIfTIWriter(
      geometry: ScanGeometry(shape: shape, spacing: spacing, affine: affine, reader: .simpleITK)
    ).write(map: values, to: path)
    return path
  }

  @Test(
    arguments: [([110, 120, 130], [2.0, 2, 2]), ([40, 200, 200], [5, 1, 1])],
    [
      ["classify"], ["classify", "--input-policy", "sliding-window"],
      ["preprocess", "-o", "p.npy"],
      ["features", "-o", "f.npy"],
    ])
  func aRunStaysBelowItsEstimate(_ size: ([Int], [Double]), _ verb: [String]) throws {
    let scan = try scan(shape: size.0, spacing: size.1)
    let policy = verb.contains("--input-policy") ? Array(verb.suffix(2)) : []
    let plan = try Command.run("nnrun", ["plan", model, scan, "--json"] + policy)
    #expect(plan.status == 0, "\(plan.errors)")
    let json = try JSONParser.parse(Bytes(Array(plan.output.utf8)))
    let estimate = try #require(json["peak_bytes"]?.integer)
    let arguments =
      [verb[0], model, scan]
      + verb.dropFirst().map {
        $0.hasSuffix(".npy") ? folder.file($0) : $0
      }
    let peak = try #require(Command.peakByteCount("nnrun", arguments))
    // A debug build is that much larger than what is shipped.
    let bound = estimate + 24_000_000
    #expect(peak <= bound, "\(verb): \(peak) bytes, estimated \(estimate)")
    // Nor is the estimate one that refuses what would run.
    if verb[0] != "preprocess" { #expect(peak >= estimate / 2) }
  }
}
