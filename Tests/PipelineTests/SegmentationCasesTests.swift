// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import PickleReader
import SWTFormat
import SWTRuntime
import TestSupport
import Testing

@testable import Pipeline
@testable import Preprocessing

/// From a scan to the file that nnU-Net 2.8.1 wrote for it, header included. Goldens: nnU-Net's own
/// predictor (`scripts/lib/fixtures/make_segmentation.py`).
@Suite struct SegmentationCasesTests {
  static let names = (try? Fixtures.names(in: GoldenCase.folder)) ?? []

  @Test func allCasesAreHere() { #expect(Self.names.count == 15) }

  /// Not mirrored: the example's scans, which are larger than all others.
  static let large = "s01_example_model"

  @Test(arguments: names)
  func isNNUNets(name: String) throws { try check(name, mirroring: false) }

  @Test(arguments: names.filter { $0 != large })
  func isNNUNetsWithMirroring(name: String) throws { try check(name, mirroring: true) }

  private func check(_ name: String, mirroring: Bool) throws {
    let golden = try GoldenCase(name)
    for scan in name == Self.large ? golden.scans.prefix(1) : golden.scans[...] {
      let suffix = scan.tag + (mirroring ? "" : "_nomirror")
      let expected = "\(golden.path)/expected/seg\(suffix)\(golden.ending)"
      let probabilities = "\(golden.path)/expected/probabilities\(suffix).npz"
      let hasProbabilities = MappedFile.identity(ofFileAt: probabilities) != nil
      let pipeline = try SegmentationPipeline(
        model: golden.model,
        options: SegmentationOptions(
          mirroring: mirroring, stepSize: golden.stepSize, probabilities: hasProbabilities),
        threads: 2)
      let previous = try golden.previous.map { path throws(PipelineError) in
        try pipeline.readPrevious(file: path)
      }
      let result = try pipeline.run(pipeline.read(files: scan.files), previous: previous)
      let folder = try TemporaryFolder()
      let path = folder.file("seg\(golden.ending)")
      try result.write(to: path, threads: 2)
      #expect(try Self.header(path) == Self.header(expected))
      let (found, wanted) = (try Self.voxels(path), try Self.voxels(expected))
      let nearTies = try Self.array("near_tie", "\(golden.path)/expected/near_tie\(suffix).npz")
      let differing = found.indices.filter { found[$0] != wanted[$0] }
      #expect(found.count == wanted.count && nearTies.count == found.count)
      #expect(differing.allSatisfy { nearTies[$0] != 0 })
      #expect(Double(differing.count) <= 1e-4 * Double(found.count))
      guard hasProbabilities else { continue }
      try result.writeProbabilities(to: folder.file("p.npz"), threads: 2)
      let (p, q) = (
        try Self.array("probabilities", folder.file("p.npz")),
        try Self.array("probabilities", probabilities)
      )
      #expect(p.count == q.count && zip(p, q).allSatisfy { abs($0 - $1) <= 5e-3 })
    }
  }

  @Test func anotherCountOfThreadsGivesTheSame() throws {
    let golden = try GoldenCase("s08_resenc")
    let results = try [1, 3].map { threads in
      let pipeline = try SegmentationPipeline(model: golden.model, threads: threads)
      return try pipeline.run(pipeline.read(files: golden.scans[0].files)).labels
    }
    #expect(results[0] == results[1])
  }

  @Test func aCascadeNeedsWhatTheFirstStageMade() throws {
    let golden = try GoldenCase("s07_cascade")
    let pipeline = try SegmentationPipeline(model: golden.model, threads: 2)
    #expect(pipeline.takesPrevious)
    #expect(throws: PipelineError.self) {
      try pipeline.run(pipeline.read(files: golden.scans[0].files))
    }
  }

  @Test func foldsAreChosenByName() throws {
    let golden = try GoldenCase("s05_three_folds")
    func labels(_ folds: [String]?, of model: Model) throws -> [UInt16] {
      let pipeline = try SegmentationPipeline(
        model: model, options: SegmentationOptions(mirroring: false, folds: folds), threads: 2)
      return try pipeline.run(pipeline.read(files: golden.scans[0].files)).labels
    }
    let folder = "\(golden.path)/nnUNet_results/Dataset805_ThreeFolds"
    let single = try Models.network(
      "\(folder)/nnUNetTrainer__nnUNetPlans__3d_fullres", folds: ["1"])
    let expected = try labels(nil, of: single)
    #expect(try labels(["1"], of: golden.model) == expected)
    #expect(try labels(["1"], of: single) == expected)
    #expect(try labels(nil, of: golden.model) != expected)
    for wrong in [["3"], ["0", "0"], []] {
      #expect(throws: PipelineError.self) { try labels(wrong, of: golden.model) }
    }
  }

  @Test func clearedMemoryIsZero() throws {
    for count in [40_000, ReleasableMemory.smallestReleased] {
      let memory = try ReleasableMemory(count: count)
      for index in 0..<30_000 { memory.start[index] = 7 }
      memory.clear(100, count: 20_000)
      #expect((100..<20_100).allSatisfy { memory.start[$0] == 0 })
      #expect(memory.start[99] == 7 && memory.start[20_100] == 7)
    }
  }

  @Test func aRunCanBeStopped() throws {
    let golden = try GoldenCase("s02_plain2d")
    let pipeline = try SegmentationPipeline(model: golden.model, threads: 2)
    #expect(throws: PipelineError(.cancelled)) {
      try pipeline.run(pipeline.read(files: golden.scans[0].files)) {
        (done, _) throws(PipelineError) in if done == 3 { throw PipelineError(.cancelled) }
      }
    }
  }

  // MARK: - Files

  private static func content(_ path: String) throws -> [UInt8] {
    // The reader inflates; header and voxels are read as they stand.
    let stream = try ScanStream(path: path)
    let buffer = HeapBuffer(byteCount: 1 << 20)
    let count = try stream.read(into: buffer.memory)
    return Array(buffer.memory[..<count])
  }

  private static func header(_ path: String) throws -> [UInt8] {
    Array(try content(path).prefix(352))
  }

  private static func voxels(_ path: String) throws -> [UInt8] {
    Array(try content(path).dropFirst(352))
  }

  /// An array of a `.npz`, booleans as numbers; one axis.
  private static func array(_ name: String, _ path: String) throws -> [Float] {
    let archive = try ZipArchive(MappedFile(path: path).bytes)
    let entry = try #require(archive.entry(named: "\(name).npy"))
    let content = try archive.content(of: entry)
    guard name == "near_tie" else { return try NPYArray(bytes: content).values }
    // One byte per voxel behind NumPy's header, in Fortran's order: x fastest, as in the file.
    let length = Int(content.littleEndian(UInt16.self, at: 8) ?? 0) + 10
    return content.array.dropFirst(length).map { Float($0) }
  }
}

/// A case of `Tests/Fixtures/segmentation/cases` with its model.
struct GoldenCase {
  static let folder = "\(Fixtures.folder)/segmentation/cases"

  struct Scan {
    let files: [String]
    let tag: String
  }

  let path: String
  let model: Model
  let scans: [Scan]
  let ending: String
  let stepSize: Double
  let previous: String?

  init(_ name: String) throws {
    let path = "\(Self.folder)/\(name)"
    let json = try JSONParser.parse(MappedFile(path: "\(path)/case.json").bytes)
    self.path = path
    ending = json["file_ending"]?.string ?? ""
    stepSize = json["step_size"]?.double ?? 0
    previous = json["previous"]?.string.map { "\(path)/\($0)" }
    let isExample = name == "s01_example_model"
    let tags = json["tags"]?.array?.compactMap(\.string) ?? [""]
    let files = json["scans"]?.array?.map { $0.array?.compactMap(\.string) ?? [] } ?? []
    scans = zip(files, tags).map { files, tag in
      let scans = files.map { file in
        let name = file.split(separator: "/").last.map(String.init) ?? ""
        return isExample
          ? "\(Fixtures.repository)/Examples/brain-mri/scans/\(name)" : "\(path)/\(file)"
      }
      return Scan(files: scans, tag: tag)
    }
    let folder = json["models"]?.array?.last?.string ?? ""
    let folds = json["folds"]?.array?.compactMap(\.string) ?? []
    model = try Models.network(
      isExample ? Fixtures.exampleModelFolder : "\(path)/\(folder)", folds: folds)
  }
}
