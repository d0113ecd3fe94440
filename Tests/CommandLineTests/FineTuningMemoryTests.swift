// SPDX-License-Identifier: Apache-2.0
import FileIO
import Preprocessing
import SWTFormat
import TestSupport
import Testing

/// What `nntrain plan` says of memory is what `finetune` keeps to, also where every scan has another size.
@Suite struct FineTuningMemoryTests {
  private let folder: TemporaryFolder
  private let arguments: [String]

  init() throws {
    folder = try TemporaryFolder()
    let model = folder.file("m.swt")
    let result = try Command.run(
      "nnconvert", ["convert", Fixtures.exampleCheckpoint, "-o", model, "--quiet"])
    #expect(result.status == 0, "\(result.errors)")
    var table = "case,file,label\n"
    var state: UInt32 = 1
    for index in 0..<6 {
      let shape = [48 + 8 * index, 64, 96 - 8 * index]
      let values = (0..<shape.reduce(1, *)).map { _ -> Float in
        state = state &* 1_664_525 &+ 1_013_904_223
        return Float(state >> 20)
      }
      let affine = (0..<3).map { row in (0..<3).map { $0 == row ? 2.0 : 0 } + [0] }
      try NIfTIWriter(
        geometry: ScanGeometry(
          shape: shape, spacing: [2, 2, 2], affine: affine, reader: .simpleITK)
      ).write(map: values, to: folder.file("c\(index).nii"))
      table += "c\(index),c\(index).nii,\(index % 2 == 0 ? "a" : "b")\n"
    }
    var file = try AtomicFile(path: folder.file("cases.csv"), replacing: true)
    try file.write(Array(table.utf8))
    try file.commit()
    arguments = [
      model, folder.file("cases.csv"), "--cv", "2", "--epochs", "2", "--views", "0", "--unfreeze",
      "2", "--threads", "2",
    ]
  }

  /// In bytes, at most and at least.
  private func plan(_ limit: [String]) throws -> (peak: Int, least: Int) {
    let result = try Command.run("nntrain", ["plan", "--json"] + arguments + limit)
    #expect(result.status == 0, "\(result.errors)")
    let json = try JSONParser.parse(Bytes(Array(result.output.utf8)))
    return (try #require(json["peak_bytes"]?.integer), try #require(json["least_bytes"]?.integer))
  }

  @Test(arguments: [nil, 1.2, 1.0])
  func aRunStaysBelowItsPlan(times: Double?) throws {
    let least = try plan([]).least
    let bytes = times.map { Int(Double(least) * $0) }
    let limit = bytes.map { ["--max-memory", "\($0)B"] } ?? []
    let planned = try plan(limit).peak
    #expect(planned <= bytes ?? .max && planned >= least)
    let peak = try #require(
      Command.peakByteCount(
        "nntrain", ["finetune", "-o", folder.file("o.swt")] + arguments + limit))
    // A debug build is that much larger than what is shipped.
    #expect(peak <= planned + 24_000_000, "\(peak) bytes, planned \(planned)")
    #expect(Double(peak) >= Double(planned) / 1.5, "\(peak) bytes, planned \(planned)")
  }

  @Test func whatIsNotEnoughIsRefusedBeforeWork() throws {
    let least = try plan([]).least
    let result = try Command.run(
      "nntrain",
      ["finetune", "-o", folder.file("o.swt")] + arguments + ["--max-memory", "\(least - 1)B"])
    #expect(result.status == 65 && result.errors.contains("--max-memory"), "\(result.errors)")
    #expect(!result.errors.contains("epoch") && !result.errors.contains("scans, about"))
  }
}
