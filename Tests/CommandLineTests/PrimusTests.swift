// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import SWTFormat
import TestSupport
import Testing

/// Primus checkpoints of every dialect (`Tests/Fixtures/primus`): tokens, pooled features and logits are
/// PyTorch's, on every instruction set.
@Suite struct PrimusTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    /// Where in its folder the expected numbers lie.
    var part = ""
    var arguments: [String] = []
    /// Where not the checkpoint's own.
    var head = "head.pth"

    var testDescription: String { "\(name)/\(part) \(arguments.joined(separator: " "))" }
    var folder: String { "\(Fixtures.folder)/primus/\(name)" }
    var checkpoint: String { "\(folder)/checkpoint_final.pth" }
  }

  static let cases = [
    Case(name: "v1_noabs"), Case(name: "v1_noabs", head: "classifier_full.pth"),
    Case(name: "v1_registers_noscale"), Case(name: "v2"), Case(name: "v3_noskips_relu"),
    Case(name: "primusx_finetuned"), Case(name: "trainer_v1_s"),
    Case(name: "trainer_v1_s", arguments: ["--heads", "6"]),
    Case(name: "nnssl_primusx"),
    Case(name: "nnssl_primusx", part: "hwd/", arguments: ["--token-order", "hwd"]),
    Case(name: "nnssl_primusx", part: "resized/", arguments: ["--input-size", "24,40,32"]),
  ]

  @Test(arguments: cases)
  func resultsAreThoseOfPyTorch(_ sample: Case) throws {
    let folder = try TemporaryFolder()
    let swt = folder.file("m.swt")
    let head = "\(sample.folder)/\(sample.head)"
    let conversion = try Command.run(
      "nnconvert", ["convert", sample.checkpoint, "--head", head, "-o", swt] + sample.arguments)
    try #require(conversion.status == 0, "\(conversion.errors)")
    let verification = try Command.run(
      "nnconvert", ["verify", swt, "--against", sample.checkpoint] + sample.arguments)
    #expect(verification.status == 0, "\(verification.output)\(verification.errors)")

    let input = [sample.part, ""].map { "\(sample.folder)/\($0)input.npy" }.first {
      (try? NPYArray(contentsOf: $0)) != nil
    }
    let scan = try #require(input)
    for isa in ["portable", nil] {
      let environment = isa.map { ["SWT_ISA": $0] } ?? [:]
      func expect(_ arguments: [String], _ golden: String) throws {
        let result = try Command.run("nnrun", arguments, environment: environment)
        try #require(result.status == 0, "\(result.errors)")
        let found = try NPYArray(contentsOf: folder.file("o.npy")).values
        let expected = try NPYArray(contentsOf: "\(sample.folder)/\(sample.part)\(golden)").values
        let difference = Difference(found, expected)
        #expect(difference.relative <= 3e-5, "\(golden), \(isa ?? "the best"): \(difference)")
      }
      let output = ["-o", folder.file("o.npy")]
      try expect(["features", swt, scan, "--stage", "0"] + output, "skip_0.npy")
      try expect(["features", swt, scan] + output, "pooled.npy")
      let result = try Command.run(
        "nnrun", ["classify", swt, scan, "--json"], environment: environment)
      let json = try JSONParser.parse(Bytes(Array(result.output.utf8)))
      let logits = try #require(json["logits"] ?? json["cases"]?.array?.first?["logits"])
      let expected = try NPYArray(contentsOf: "\(sample.folder)/\(sample.part)logits.npy").values
      let difference = Difference(
        logits.array?.compactMap(\.double) ?? [], expected.map(Double.init))
      #expect(difference.relative <= 3e-5, "logits, \(isa ?? "the best"): \(difference)")
    }
  }

  /// What a checkpoint is converted with, and words of the refusal.
  @Test(arguments: [
    ("nnssl_primusx", ["--heads", "4"], "PrimusX: 4 heads"),
    ("v1_noabs", ["--input-policy", "whole"], "Primus: the network takes inputs of one size"),
    ("nnssl_primusx", ["--input-size", "30,32,32"], "PrimusX: an input of [30, 32, 32]"),
    ("nnssl_primusx", ["--input-size", "4096,4096,4096"], "makes too many tokens, 134217728"),
    ("v1_registers_noscale", ["--input-size", "4096,4096,4096"], "makes too many tokens"),
    ("trainer_v1_s", ["--heads", "12"], "PrimusS: 12 heads"),
  ])
  func whatContradictsTheCheckpointIsRefused(
    name: String, arguments: [String], words: String
  ) throws {
    let folder = try TemporaryFolder()
    let result = try Command.run(
      "nnconvert",
      ["convert", "\(Fixtures.folder)/primus/\(name)/checkpoint_final.pth", "-o", folder.file("m")]
        + arguments)
    #expect(result.status == 64)
    #expect(result.errors.contains(words), "\(result.errors)")
  }

  /// No padding and no other grid: PyTorch takes some of these and computes nonsense.
  @Test func anotherSizeOfInputIsRefused() throws {
    let folder = try TemporaryFolder()
    let swt = folder.file("m.swt")
    let sample = Self.cases[0]
    _ = try Command.run("nnconvert", ["convert", sample.checkpoint, "-o", swt])
    for shape in [[1, 16, 16, 12], [1, 16, 8, 16], [1, 17, 16, 8]] {
      try NPYArray(shape: shape, values: [Float](repeating: 0, count: shape.reduce(1, *)))
        .write(to: folder.file("x.npy"))
      let result = try Command.run(
        "nnrun", ["features", swt, folder.file("x.npy"), "-o", folder.file("o.npy")])
      #expect(result.status == 65)
      #expect(result.errors.contains("[16, 16, 8]"), "\(result.errors)")
    }
  }

  @Test func theOrderOfTokensIsWarnedOfAtConversionAlone() throws {
    let folder = try TemporaryFolder()
    let sample = Case(name: "nnssl_primusx")
    let (swt, input) = (folder.file("m.swt"), "\(sample.folder)/input.npy")
    let conversion = try Command.run("nnconvert", ["convert", sample.checkpoint, "-o", swt])
    #expect(conversion.errors.contains("--token-order hwd"))
    let run = try Command.run("nnrun", ["features", swt, input, "-o", folder.file("o.npy")])
    #expect(run.status == 0 && !run.errors.contains("warning"), "\(run.errors)")
    let other = try Command.run(
      "nnconvert",
      ["convert", sample.checkpoint, "--token-order", "hwd", "-o", folder.file("h.swt")])
    #expect(!other.errors.contains("token-order"), "\(other.errors)")
    let difference = try Command.run("nnconvert", ["diff", swt, folder.file("h.swt")])
    #expect(difference.status == 1 && difference.output.contains("token_order"))
  }
}
