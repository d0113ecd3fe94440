// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import SWTFormat
import TestSupport
import Testing

/// Checkpoints as people have them (`Tests/Fixtures/cases/checkpoints`): each is converted with
/// PyTorch's numbers, or refused by name.
@Suite struct CheckpointCaseTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let folder: String
    let input: String
    let arguments: [String]
    /// Words of which a refusal has one; `nil` where the file is converted.
    let refusal: [String]?
    let never: [String]
    let warning: String?
    /// Whether the numbers are PyTorch's; not so where a warning says that they cannot be known.
    let hasNumbers: Bool

    var testDescription: String { name }
  }

  static let cases: [Case] = {
    let folder = "\(Fixtures.folder)/cases/checkpoints"
    let names = ((try? Fixtures.names(in: folder)) ?? []).filter { !$0.hasSuffix(".md") }
    return names.compactMap { name in
      let path = "\(folder)/\(name)"
      guard let file = try? MappedFile(path: "\(path)/case.json"),
        let json = try? JSONParser.parse(file.bytes)
      else { return nil }
      func texts(_ key: String) -> [String]? { json[key]?.array?.compactMap(\.string) }
      return Case(
        name: name, folder: path, input: "\(path)/\(json["input"]?.string ?? "")",
        arguments: (texts("arguments") ?? []).map {
          $0.hasPrefix("{d}") ? path + $0.dropFirst(3) : $0
        },
        refusal: texts("refusal"), never: texts("never") ?? [], warning: json["warning"]?.string,
        hasNumbers: json["numbers"]?.bool ?? true)
    }
  }()

  @Test func theCasesAreThere() { #expect(Self.cases.count >= 80) }

  @Test(arguments: cases)
  func isConvertedOrRefused(_ sample: Case) throws {
    let folder = try TemporaryFolder()
    let swt = folder.file("m.swt")
    let result = try Command.run(
      "nnconvert", ["convert", sample.input, "-o", swt] + sample.arguments)
    let inspection = try Command.run("nnconvert", ["inspect", sample.input] + sample.arguments)
    if let words = sample.refusal {
      #expect([64, 65].contains(result.status), "\(result.errors)")
      let message = result.errors.replacing(sample.folder, with: "…")
      #expect(words.contains { message.contains($0) }, "\(message)")
      #expect(!sample.never.contains { message.contains($0) }, "\(message)")
      #expect(inspection.status == result.status || inspection.output.contains("no: "))
      return
    }
    #expect(result.status == 0, "\(result.errors)")
    if let word = sample.warning { #expect(result.errors.contains(word), "\(result.errors)") }
    #expect(inspection.output.contains("can be converted"), "\(inspection.errors)")
    #expect(!inspection.output.contains("no: "), "\(inspection.output)")
    if sample.hasNumbers { try expectPyTorchsFeatures(of: swt, sample) }
    let verification = try Command.run(
      "nnconvert", ["verify", swt, "--against", sample.input] + sample.arguments)
    #expect(verification.status == 0, "\(verification.output)\(verification.errors)")
  }

  private func expectPyTorchsFeatures(of swt: String, _ sample: Case) throws {
    let skips = try Fixtures.names(in: sample.folder).filter { $0.hasPrefix("skip_") }
    #expect(!skips.isEmpty)
    for skip in skips {
      let stage = String(skip.dropFirst("skip_".count).dropLast(".npy".count))
      let output = swt + ".npy"
      let result = try Command.run(
        "nnrun",
        ["features", swt, "\(sample.folder)/input.npy", "--stage", stage, "-o", output])
      try #require(result.status == 0, "\(result.errors)")
      let found = try NPYArray(contentsOf: output).values
      let expected = try NPYArray(contentsOf: "\(sample.folder)/\(skip)").values
      #expect(Difference(found, expected).relative <= 1e-4)
    }
  }
}
