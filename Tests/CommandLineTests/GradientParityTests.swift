// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import PickleReader
import SWTFormat
import TestSupport
import Testing

/// `nntrain finetune --batches` against PyTorch in double precision: gradients of all parameters, and parameters after
/// steps of both optimisers.
@Suite struct GradientParityTests {
  private static let folder = "\(Fixtures.folder)/training/gradients"

  /// Odd sizes; bottlenecks with average pooling; batch norm, class weights and smoothing; 2-D and binary
  /// cross-entropy.
  static let networks = ["plain3d_odd", "bottleneck3d", "resenc3d_bn", "plain2d_multilabel"]

  /// Arrays of an `.npz`.
  private struct Arrays {
    let archive: ZipArchive

    init(_ path: String) throws { archive = try ZipArchive(MappedFile(path: path).bytes) }

    var names: [String] { archive.entries.map { String($0.name.dropLast(".npy".count)) }.sorted() }

    subscript(name: String) -> NPYArray {
      get throws {
        let entry = try #require(archive.entry(named: "\(name).npy"))
        return try NPYArray(bytes: archive.content(of: entry))
      }
    }
  }

  private func converted(_ network: String, in folder: TemporaryFolder) throws -> String {
    let results = "\(Self.folder)/\(network)/nnUNet_results/Dataset999_Tiny"
    let trainer = try #require(try Fixtures.names(in: results).first)
    let model = folder.file("m.swt")
    let result = try Command.run(
      "nnconvert",
      [
        "convert", "\(results)/\(trainer)/fold_0/checkpoint_final.pth", "-o", model, "--head",
        "\(Self.folder)/\(network)/head.npz", "--quiet",
      ])
    #expect(result.status == 0, "\(result.errors)")
    return model
  }

  private func dump(
    _ network: String, _ model: String, to folder: String, threads: Int,
    environment: [String: String] = [:]
  ) throws {
    let golden = "\(Self.folder)/\(network)"
    let result = try Command.run(
      "nntrain",
      [
        "finetune", model, "--batches", "\(golden)/batch.npz", "--spec", "\(golden)/spec.json",
        "--dump", folder, "--threads", "\(threads)",
      ], environment: environment)
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test(arguments: networks, [1, 3])
  func gradientsAndStepsAreThoseOfPyTorch(network: String, threads: Int) throws {
    let folder = try TemporaryFolder()
    let (golden, dumped) = ("\(Self.folder)/\(network)", folder.file("dump"))
    try dump(network, try converted(network, in: folder), to: dumped, threads: threads)
    let specification = try JSONParser.parse(MappedFile(path: "\(golden)/spec.json").bytes)
    // Biases that an instance norm takes away again: their gradient is rounding noise in PyTorch.
    let idle = Set(
      specification["float32"]?["zero_gradients"]?.array?.compactMap(\.string) ?? [])

    let (gradients, found) = (try Arrays("\(golden)/grad.npz"), try Arrays("\(dumped)/grad.npz"))
    #expect(found.names == gradients.names)
    for name in gradients.names {
      let (expected, own) = (try gradients[name], try found[name])
      #expect(own.shape == expected.shape)
      if idle.contains(String(name.dropFirst("grad/".count))) {
        #expect(own.values.allSatisfy { $0 == 0 }, "\(name)")
      } else {
        let difference = Difference(own.values, expected.values)
        #expect(difference.relative < 1e-4, "\(name): \(difference)")
      }
    }
    let (steps, taken) = (try Arrays("\(golden)/steps.npz"), try Arrays("\(dumped)/steps.npz"))
    #expect(taken.names == steps.names)
    for name in steps.names where !idle.contains(where: { name.hasSuffix("/\($0)") }) {
      let difference = Difference(try taken[name].values, try steps[name].values)
      #expect(difference.absolute < 1e-5, "\(name): \(difference)")
    }
  }

  @Test(arguments: networks) func everyInstructionSetComesToTheSame(network: String) throws {
    let folder = try TemporaryFolder()
    let (model, dumped) = (try converted(network, in: folder), folder.file("dump"))
    try dump(network, model, to: dumped, threads: 2, environment: ["SWT_ISA": "portable"])
    let (gradients, found) = (
      try Arrays("\(Self.folder)/\(network)/grad.npz"), try Arrays("\(dumped)/grad.npz")
    )
    for name in gradients.names {
      let (expected, own) = (try gradients[name], try found[name])
      guard own.values.contains(where: { $0 != 0 }) else { continue }
      let difference = Difference(own.values, expected.values)
      #expect(difference.relative < 1e-4, "\(name): \(difference)")
    }
  }

  @Test func theSameThreadsGiveTheSameBytes() throws {
    let folder = try TemporaryFolder()
    let model = try converted("resenc3d_bn", in: folder)
    for name in ["a", "b"] {
      try dump("resenc3d_bn", model, to: folder.file(name), threads: 2)
    }
    for name in ["grad.npz", "steps.npz"] {
      #expect(
        try MappedFile(path: folder.file("a/\(name)")).bytes.array
          == MappedFile(path: folder.file("b/\(name)")).bytes.array)
    }
  }

  @Test func memoryBeyondTheLimitIsRefused() throws {
    let folder = try TemporaryFolder()
    let model = try converted("resenc3d_bn", in: folder)
    let golden = "\(Self.folder)/resenc3d_bn"
    let result = try Command.run(
      "nntrain",
      [
        "finetune", model, "--batches", "\(golden)/batch.npz", "--spec", "\(golden)/spec.json",
        "--dump", folder.file("dump"), "--max-memory", "1M",
      ])
    #expect(result.status == 65)
    #expect(result.errors.contains("--max-memory"), "\(result.errors)")
  }

  @Test(arguments: [
    ("{", "the specification"), ("{\"classes\": 4, \"loss\": \"hinge\"}", "hinge"),
    ("{\"classes\": 7}", "classes"),
    ("{\"classes\": 4, \"unfrozen_stages\": 9}", "unfrozen_stages"),
    ("{\"classes\": 4, \"class_weight\": [1, -1, 2, 3]}", "class_weight"),
    ("{\"classes\": 4, \"sgd\": {\"momentum\": 2}}", "sgd.momentum"),
  ])
  func aSpecificationThatCannotBeIsRefused(text: String, word: String) throws {
    let folder = try TemporaryFolder()
    let model = try converted("resenc3d_bn", in: folder)
    var file = try AtomicFile(path: folder.file("spec.json"), replacing: true)
    try file.write(Array(text.utf8))
    try file.commit()
    let result = try Command.run(
      "nntrain",
      [
        "finetune", model, "--batches", "\(Self.folder)/resenc3d_bn/batch.npz", "--spec",
        folder.file("spec.json"), "--dump", folder.file("dump"),
      ])
    #expect(result.status == 65)
    #expect(result.errors.contains(word), "\(result.errors)")
  }
}
