// SPDX-License-Identifier: Apache-2.0
import Converter
import FileIO
import SWTFormat
import TestSupport
import Testing

/// Folders, exports and version 1: whatever nnU-Net leaves behind.
@Suite struct InputKindTests {
  private static let name = "plain3d__v2.8__float32"

  private func modelID(
    _ path: String, _ configure: (inout ConversionOptions) -> Void = { _ in }
  ) throws -> String {
    let folder = try TemporaryFolder()
    var options = ConversionOptions()
    configure(&options)
    return try Conversion(path: path, options: options).write(to: folder.file("m.swt")).modelID
  }

  private func modelFolder() throws -> String {
    try Fixtures.checkpoint(in: Self.name).split(separator: "/").dropLast(2).map { "/\($0)" }
      .joined()
  }

  @Test func aModelFolderIsItsOnlyFold() throws {
    #expect(try modelID(modelFolder()) == modelID(Fixtures.checkpoint(in: Self.name)))
  }

  @Test func aDatasetFolderIsItsOnlyModel() throws {
    let results = try modelFolder().split(separator: "/").dropLast(2).map { "/\($0)" }.joined()
    #expect(try modelID(results) == modelID(Fixtures.checkpoint(in: Self.name)))
  }

  @Test func aFoldOrCheckpointThatIsNotThereIsRefusedWithTheList() throws {
    let error = #expect(throws: ConversionError.self) {
      try modelID(modelFolder()) { $0.fold = "3" }
    }
    #expect(error.map { "\($0)".contains("there are: 0") } == true)
    let other = #expect(throws: ConversionError.self) {
      try modelID(modelFolder()) { $0.checkpoint = "latest" }
    }
    #expect(other.map { "\($0)".contains("checkpoint_final.pth") } == true)
  }

  @Test func aFolderWithoutAModelIsRefused() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: ConversionError.self) { try modelID(folder.path) }
    #expect(error.map { "\($0)".contains("plans.json") } == true)
  }

  @Test func version1GivesTheEncoderThatItsWeightsAre() throws {
    let path =
      "\(Fixtures.folder)/checkpoints/plain3d__v1__float32/nnUNet/3d_fullres/Task999_Tiny/"
      + "nnUNetTrainerV2__nnUNetPlansv2.1"
    let model = "\(path)/fold_0/model_final_checkpoint.model"
    let folder = try TemporaryFolder()
    var options = ConversionOptions()
    options.part = .network
    let report = try Conversion(path: model, options: options).write(to: folder.file("m.swt"))
    let architecture = report.description.architecture
    #expect(architecture.featuresPerStage == [8, 16, 32])
    #expect(architecture.totalStride == [2, 4, 4])
    #expect(architecture.decoder?.upsamplingBias == false)
    #expect(
      report.description.preprocessing.channels.map(\.normalizationScheme)
        == ["CTNormalization", "ZScoreNormalization"])
    #expect(try modelID(path) == modelID(model))
  }

  @Test func version1WithoutItsPlansIsRefused() throws {
    let folder = try TemporaryFolder()
    let source =
      "\(Fixtures.folder)/checkpoints/plain3d__v1__float32/nnUNet/3d_fullres/Task999_Tiny/"
      + "nnUNetTrainerV2__nnUNetPlansv2.1/fold_0/model_final_checkpoint.model"
    var copy = try AtomicFile(path: folder.file("x.model"), replacing: false)
    try copy.write(MappedFile(path: source).bytes.array)
    try copy.commit()
    let error = #expect(throws: ConversionError.self) { try modelID(folder.file("x.model")) }
    #expect(error.map { "\($0)".contains(".pkl") } == true)
  }

  @Test func filesOfOneModelDoNotDiffer() throws {
    let checkpoint = try Fixtures.checkpoint(in: Self.name)
    let folder = try TemporaryFolder()
    var options = ConversionOptions()
    options.part = .network
    _ = try Conversion(path: checkpoint, options: options).write(to: folder.file("m.swt"))
    let difference = try Difference(checkpoint, folder.file("m.swt"), options: options)
    #expect(difference.isEmpty, "\(difference)")
    #expect(difference.commonTensors > 40)
  }

  @Test func differencesAreNamed() throws {
    let difference = try Difference(
      Fixtures.checkpoint(in: Self.name), Fixtures.checkpoint(in: "plain3d__v2.8__float32__bn"),
      options: ConversionOptions())
    #expect(difference.fields.contains { $0.path == "architecture.norm.kind" })
    #expect(difference.tensors.contains { $0.what == "only in the second" })
  }
}
