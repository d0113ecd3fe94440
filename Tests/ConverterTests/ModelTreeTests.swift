// SPDX-License-Identifier: Apache-2.0
import CommandLineInterface
import Converter
import FileIO
import Foundation
import SWTFormat
import TestSupport
import Testing

@testable import PickleReader

/// Model folders with several folds and configurations, and exported zips.
@Suite final class ModelTreeTests {
  private static let fixture = "plain3d__v2.8__float32"
  private let folder = "/tmp/nnconvert-tree-\(UUID().uuidString)"
  private let files = FileManager.default
  private let checkpoint: String
  private let model: String

  init() throws {
    checkpoint = try Fixtures.checkpoint(in: Self.fixture)
    model = checkpoint.split(separator: "/").dropLast(2).map { "/\($0)" }.joined()
    try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? files.removeItem(atPath: folder) }

  private func convert(
    _ path: String, _ configure: (inout ConversionOptions) -> Void = { _ in }
  ) throws -> ConversionReport {
    var options = ConversionOptions()
    options.replacesOutput = true
    configure(&options)
    return try Conversion(path: path, options: options).write(to: "\(folder)/out.swt")
  }

  /// A copy of the model with the folds named.
  private func copy(folds: [String], to name: String = "Dataset999/T__P__3d_fullres") throws
    -> String
  {
    let target = "\(folder)/\(name)"
    try files.createDirectory(atPath: target, withIntermediateDirectories: true)
    for file in ["plans.json", "dataset.json"] {
      try files.copyItem(atPath: "\(model)/\(file)", toPath: "\(target)/\(file)")
    }
    for fold in folds {
      try files.copyItem(atPath: "\(model)/fold_0", toPath: "\(target)/fold_\(fold)")
    }
    return target
  }

  private func refusal(_ path: String, _ configure: (inout ConversionOptions) -> Void = { _ in })
    -> String
  {
    let error = #expect(throws: ConversionError.self) { try convert(path, configure) }
    return error.map { CommandLineTool.message(of: $0) } ?? ""
  }

  @Test func severalFoldsHaveToBeChosenFrom() throws {
    let model = try copy(folds: ["0", "3", "all"])
    let message = refusal(model)
    for word in ["--fold", "0", "3", "all"] { #expect(message.contains(word)) }
    let expected = try convert(checkpoint).modelID
    for fold in ["0", "3", "all"] {
      #expect(try convert(model) { $0.fold = fold }.modelID == expected)
    }
  }

  @Test(arguments: ["0,3", "all-trained"])
  func severalFoldsAreOneModel(folds: String) throws {
    let model = try copy(folds: ["0", "3", "all"])
    let report = try convert(model) {
      $0.fold = folds
      $0.part = .network
    }
    let file = try SWTFile(contentsOf: "\(folder)/out.swt", verifyingTensors: true)
    #expect(report.description.folds.map(\.name) == ["0", "3"])
    let single = try Conversion(path: checkpoint, options: ConversionOptions()).description
    #expect(
      report.description.folds.map(\.sourceSHA256)
        == [String](repeating: single.provenance.sourceSHA256, count: 2))
    #expect(
      file.tensors.allSatisfy { $0.name.hasPrefix("fold_0/") || $0.name.hasPrefix("fold_3/") })
    let name = "encoder.stages.0.0.convs.0.conv.weight"
    let first = try #require(file.entry(named: name, fold: 0))
    let second = try #require(file.entry(named: name, fold: 1))
    #expect(file.values(of: first) == file.values(of: second))
    let verification = try Verification(path: "\(folder)/out.swt")
    #expect(try verification.differences(against: model).isEmpty)
  }

  @Test func foldsOfOtherNetworksAreRefusedWithTheTensorsName() throws {
    let model = try copy(folds: ["0", "1"])
    try files.removeItem(atPath: "\(model)/fold_1/checkpoint_final.pth")
    try files.copyItem(
      atPath: try Fixtures.checkpoint(in: "plain3d__v2.8__float32__nobias__relu__drop"),
      toPath: "\(model)/fold_1/checkpoint_final.pth")
    let message = refusal(model) { $0.fold = "0,1" }
    #expect(message.contains("fold_1") && message.contains("convs.0.conv.bias"), "\(message)")
    #expect(refusal(model) { $0.fold = "0,0" }.contains("twice"))
  }

  @Test func oneHeadServesAllFolds() throws {
    let model = try copy(folds: ["0", "1"])
    let head = "\(Fixtures.folder)/checkpoints/\(Self.fixture)/head.pth"
    let direct = try convert(model) {
      $0.fold = "0,1"
      $0.headPath = head
    }
    let file = try SWTFile(contentsOf: "\(folder)/out.swt", verifyingTensors: true)
    let weights = try (0..<2).map {
      try #require(file.entry(named: Classifier.weightName, fold: $0)).sha256
    }
    #expect(weights[0] == weights[1])
    _ = try convert(model) { $0.fold = "0,1" }
    var options = ConversionOptions()
    options.headPath = head
    options.replacesOutput = true
    let attached = try Attachment(path: "\(folder)/out.swt", options: options)
      .write(to: "\(folder)/attached.swt")
    #expect(attached.modelID == direct.modelID)
  }

  @Test func severalConfigurationsHaveToBeChosenFrom() throws {
    _ = try copy(folds: ["0"])
    _ = try copy(folds: ["0"], to: "Dataset999/T__P__3d_lowres")
    let message = refusal("\(folder)/Dataset999")
    for word in ["--configuration", "3d_fullres", "3d_lowres"] { #expect(message.contains(word)) }
    let report = try convert("\(folder)/Dataset999") { $0.configuration = "3d_fullres" }
    #expect(report.modelID == (try convert(checkpoint).modelID))
  }

  @Test func bestAndLatestAreTakenOnRequest() throws {
    let model = try copy(folds: ["0"])
    try files.moveItem(
      atPath: "\(model)/fold_0/checkpoint_final.pth", toPath: "\(model)/fold_0/checkpoint_best.pth")
    #expect(refusal(model).contains("checkpoint_best.pth"))
    let report = try convert(model) { $0.checkpoint = "best" }
    #expect(report.modelID == (try convert(checkpoint).modelID))
  }

  /// nnU-Net reads the folder's plans; a checkpoint file stands alone.
  @Test func theFoldersPlansWinWithAWarning() throws {
    let model = try copy(folds: ["0"])
    let path = "\(model)/plans.json"
    let plans = try String(contentsOfFile: path, encoding: .utf8)
    let changed = plans.replacingOccurrences(of: "CTNormalization", with: "ZScoreNormalization")
    #expect(changed != plans)
    try changed.write(toFile: path, atomically: true, encoding: .utf8)
    func schemes(_ report: ConversionReport) -> [String] {
      report.description.preprocessing.channels.map(\.normalizationScheme)
    }
    let fromFolder = try convert(model)
    #expect(!schemes(fromFolder).contains("CTNormalization"))
    #expect(fromFolder.warnings.contains { $0.contains("plans.json") })
    let fromFile = try convert("\(model)/fold_0/checkpoint_final.pth")
    #expect(schemes(fromFile).contains("CTNormalization"))
    #expect(fromFile.warnings.isEmpty)
  }

  /// As `nnUNetv2_export_model_to_zip` and TotalSegmentator write them: deflated.
  @Test(arguments: [true, false])
  func anExportedZipIsReadWithoutUnpacking(isDeflated: Bool) throws {
    var zip = ZipWriter(isDeflated: isDeflated)
    for name in ["plans.json", "dataset.json", "fold_0/checkpoint_final.pth"] {
      zip.add(
        "Dataset999_Tiny/T__P__3d_fullres/\(name)",
        Data(try MappedFile(path: "\(model)/\(name)").bytes.array))
    }
    let path = "\(folder)/export.zip"
    try zip.finish().write(to: URL(fileURLWithPath: path))
    let report = try convert(path)
    #expect(report.description.part == .encoder)
    let reference = try convert(checkpoint)
    #expect(report.description.architecture == reference.description.architecture)
    #expect(try Difference(path, checkpoint, options: ConversionOptions()).tensors.isEmpty)
    #expect(try files.contentsOfDirectory(atPath: folder).sorted() == ["export.zip", "out.swt"])
  }
}

/// A zip archive as Python's `zipfile` writes it; deflated entries consist of stored blocks.
private struct ZipWriter {
  let isDeflated: Bool
  private var content = Data()
  private var directory = Data()
  private var count: UInt16 = 0

  init(isDeflated: Bool) { self.isDeflated = isDeflated }

  private static func bytes(_ values: [(UInt64, Int)]) -> Data {
    Data(values.flatMap { value, size in (0..<size).map { UInt8(value >> (8 * $0) & 0xFF) } })
  }

  private static func crc(_ data: Data) -> UInt64 {
    UInt64(Checksum.crc32(Bytes(Array(data))))
  }

  mutating func add(_ name: String, _ data: Data) {
    var stored = data
    if isDeflated {
      stored = Data()
      var rest = data
      repeat {
        let part = rest.prefix(65_535)
        rest = rest.dropFirst(part.count)
        let size = UInt64(part.count)
        stored += Self.bytes([(rest.isEmpty ? 1 : 0, 1), (size, 2), (~size & 0xFFFF, 2)]) + part
      } while !rest.isEmpty
    }
    let fields: [(UInt64, Int)] = [
      (20, 2), (0, 2), (isDeflated ? 8 : 0, 2), (0, 2), (0x21, 2), (Self.crc(data), 4),
      (UInt64(stored.count), 4), (UInt64(data.count), 4), (UInt64(name.utf8.count), 2), (0, 2),
    ]
    let offset = UInt64(content.count)
    content += Self.bytes([(0x0403_4B50, 4)] + fields) + Data(name.utf8) + stored
    directory +=
      Self.bytes(
        [(0x0201_4B50, 4), (20, 2)] + fields + [(0, 2), (0, 2), (0, 2), (0, 4), (offset, 4)])
      + Data(name.utf8)
    count += 1
  }

  func finish() -> Data {
    content + directory
      + Self.bytes([
        (0x0605_4B50, 4), (0, 4), (UInt64(count), 2), (UInt64(count), 2),
        (UInt64(directory.count), 4), (UInt64(content.count), 4), (0, 2),
      ])
  }
}
