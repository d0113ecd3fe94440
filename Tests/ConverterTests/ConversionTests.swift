// SPDX-License-Identifier: Apache-2.0
import CommandLineInterface
import Converter
import FileIO
import PickleReader
import SWTFormat
import TestSupport
import Testing

@Suite struct ConversionTests {
  private func convert(
    _ path: String, _ configure: (inout ConversionOptions) -> Void = { _ in }
  ) throws -> (file: SWTFile, report: ConversionReport) {
    let folder = try TemporaryFolder()
    var options = ConversionOptions()
    configure(&options)
    let report = try Conversion(path: path, options: options).write(to: folder.file("m.swt"))
    return (try SWTFile(contentsOf: folder.file("m.swt"), verifyingTensors: true), report)
  }

  @Test(arguments: Fixtures.checkpointNames)
  func everyTensorIsThatOfTheCheckpoint(name: String) throws {
    let path = try Fixtures.checkpoint(in: name)
    let file = try convert(path) { $0.part = .network }.file
    let torch = try TorchFile(MappedFile(path: path).bytes)
    let weights = try #require(torch.root["network_weights"])
    for entry in file.tensors {
      let key = weights.entries.compactMap { $0.key.string }
        .first { $0 == entry.name || $0.hasSuffix(".\(entry.name)") }
      let tensor = try #require(key.flatMap { weights[$0] }?.tensor, "\(entry.name)")
      #expect(tensor.shape == entry.shape)
      #expect(try tensor.values() == file.values(of: entry))
    }
  }

  @Test(arguments: Fixtures.checkpointNames)
  func twoConversionsGiveTheSameBytes(name: String) throws {
    let path = try Fixtures.checkpoint(in: name)
    #expect(try convert(path).report.modelID == convert(path).report.modelID)
  }

  @Test func theDescriptionIsThatOfThePlans() throws {
    let description = try convert(Fixtures.checkpoint(in: "plain3d__v2.8__float32")).file
      .description
    #expect(description.architecture.featuresPerStage == [8, 16, 32])
    #expect(
      description.architecture.stages.map(\.kernelSize) == [[1, 3, 3], [3, 3, 3], [3, 3, 3]])
    #expect(description.architecture.totalStride == [2, 4, 4])
    #expect(description.architecture.decoder == nil)
    #expect(description.preprocessing.spacing == [2.5, 0.8, 0.8])
    #expect(description.preprocessing.channels.map(\.name) == ["CT", "MR"])
    #expect(description.preprocessing.channels.map(\.useMaskForNorm) == [false, true])
    #expect(description.labels.labels.map(\.name) == ["background", "liver", "tumour"])
    #expect(description.provenance.trainerName == "nnUNetTrainer")
    #expect(description.provenance.configuration == "3d_fullres")
  }

  @Test func theOldSchemaOfPlansGivesTheSameNetwork() throws {
    let old = try convert(Fixtures.checkpoint(in: "plain3d__v2.0-oldplans__float32")).file
    let new = try convert(Fixtures.checkpoint(in: "plain3d__v2.8__float32")).file
    #expect(old.description.architecture == new.description.architecture)
  }

  @Test func theWeightsDecideBetweenInstanceAndBatchNorm() throws {
    // These weights are BatchNorm's, made by nnUNetTrainerBN's swap or by plans that say so.
    let path = try Fixtures.checkpoint(in: "plain3d__v2.8__float32__bn")
    let instancePlans =
      try Fixtures.checkpoint(in: "plain3d__v2.8__float32")
      .split(separator: "/").dropLast(2).map { "/\($0)" }.joined() + "/plans.json"
    let (file, report) = try convert(path) { $0.plansPath = instancePlans }
    #expect(file.description.architecture.normalization.kind == .batch)
    #expect(report.warnings.contains { $0.contains("BatchNorm") })
  }

  @Test(arguments: [("f16", 1e-3), ("bf16", 8e-3)])
  func narrowedWeightsAreRounded(type: String, bound: Double) throws {
    let path = try Fixtures.checkpoint(in: "plain3d__v2.8__float32")
    let dataType = try #require(TensorDataType(rawValue: type))
    let wide = try convert(path).file
    let narrow = try convert(path) { $0.dataType = dataType }.file
    for (first, second) in zip(wide.tensors, narrow.tensors) {
      for (a, b) in zip(wide.values(of: first), narrow.values(of: second)) {
        #expect(Difference([b], [a]).absolute <= bound * abs(Double(a)) + 1e-7)
      }
    }
  }

  // MARK: - Heads

  @Test(arguments: [
    "head.pth", "head_seq.pth", "head_linear.pth", "classifier_full.pth", "classifier_wrapped.pth",
  ])
  func everyFormOfAHeadIsTheSameHead(form: String) throws {
    let folder = "\(Fixtures.folder)/checkpoints/plain3d__v2.8__float32"
    let file = try convert(Fixtures.checkpoint(in: "plain3d__v2.8__float32")) {
      $0.headPath = "\(folder)/\(form)"
      $0.classNames = ["a", "b", "c", "d"]
    }.file
    let head = try TorchFile(MappedFile(path: "\(folder)/head.pth").bytes).root
    let entry = try #require(file.entry(named: "classifier.weight"))
    #expect(try file.values(of: entry) == head.entries.first?.value.tensor?.values())
    #expect(file.description.classifier?.classNames == ["a", "b", "c", "d"])
    #expect(file.description.classifier?.activation == .softmax)
  }

  @Test func aHeadOfAnotherWidthIsRefusedWithBothNumbers() throws {
    let path = try Fixtures.checkpoint(in: "plain3d__v2.8__float32")
    let error = #expect(throws: ConversionError.self) {
      try convert(path) { $0.headPath = "\(Fixtures.repository)/Examples/brain-mri/head.pth" }
    }
    #expect(error.map { "\($0)".contains("64") && "\($0)".contains("32") } == true)
  }

  @Test func attachingGivesWhatConvertingWithTheHeadGives() throws {
    let folder = try TemporaryFolder()
    let head = "\(Fixtures.folder)/checkpoints/plain3d__v2.8__float32/head.pth"
    let path = try Fixtures.checkpoint(in: "plain3d__v2.8__float32")
    _ = try Conversion(path: path, options: ConversionOptions()).write(to: folder.file("e.swt"))
    var options = ConversionOptions()
    options.headPath = head
    let attached = try Attachment(path: folder.file("e.swt"), options: options)
      .write(to: folder.file("a.swt"))
    #expect(try convert(path) { $0.headPath = head }.report.modelID == attached.modelID)
  }

  // MARK: - Refusals

  /// Edits of plans.json that make it wrong, and a word the refusal must contain.
  static let edits: [(found: String, replacement: String, word: String)] = [
    ("\"n_stages\": 3", "\"n_stages\": 4", "features_per_stage"),
    ("\"n_stages\": 3", "\"n_stages\": 1000000000", "n_stages"),
    ("\"eps\": 1e-05", "\"eps\": NaN", "eps"),
    ("\"affine\": true", "\"affine\": false", "norm.weight"),
    ("\"conv_bias\": true", "\"conv_bias\": false", "conv.bias"),
    (
      "\"conv_bias\": true", "\"conv_bias\": true, \"squeeze_excitation\": true",
      "squeeze_excitation"
    ),
    ("\"conv_bias\": true", "\"conv_bias\": true, \"nonlin_first\": true", "nonlin_first"),
    ("instancenorm.InstanceNorm3d", "normalization.GroupNorm", "GroupNorm"),
    ("\"torch.nn.modules.instancenorm.InstanceNorm3d\"", "null", "norm_op"),
    ("\"torch.nn.LeakyReLU\"", "\"torch.nn.GELU\"", "GELU"),
    ("\"torch.nn.LeakyReLU\"", "null", "nonlin"),
    ("torch.nn.modules.conv.Conv3d", "torch.nn.modules.conv.Conv2d", "Conv2d"),
    ("unet.PlainConvUNet", "primus.Primus", "Primus"),
    ("unet.PlainConvUNet", "unet.ResidualEncoderUNet", "n_blocks_per_stage"),
    (
      "\"transpose_forward\": [\n        0,", "\"transpose_forward\": [\n        1,",
      "transpose_forward"
    ),
    ("\"CTNormalization\",", "\"CTNormalization\", \"CTNormalization\",", "normalization_schemes"),
    ("\"3d_fullres\": {", "\"3d_fullres\": {\"inherits_from\": \"3d_fullres\",", "inherits"),
    ("\"3d_fullres\": {", "\"3d_fullres\": {\"inherits_from\": \"nowhere\",", "nowhere"),
    ("\"3d_fullres\": {", "\"3d_lowres\": {", "3d_fullres"),
    ("\"configurations\": {", "\"others\": {", "there are: none"),
    ("\"3d_fullres\": {", "\"3d_fullres\": {\"previous_stage\": \"3d_lowres\",", "shape"),
  ]

  @Test(arguments: edits)
  func plansThatDoNotFitAreRefused(found: String, replacement: String, word: String) throws {
    let checkpoint = try Fixtures.checkpoint(in: "plain3d__v2.8__float32")
    let plans =
      checkpoint.split(separator: "/").dropLast(2).map { "/\($0)" }.joined() + "/plans.json"
    let text = try #require(MappedFile(path: plans).bytes.utf8)
    let range = try #require(text.firstRange(of: found), "the fixture has no \(found)")
    let folder = try TemporaryFolder()
    var file = try AtomicFile(path: folder.file("plans.json"), replacing: false)
    try file.write(
      Array((text[..<range.lowerBound] + replacement + text[range.upperBound...]).utf8))
    try file.commit()
    let error = #expect(throws: ConversionError.self) {
      try convert(checkpoint) { $0.plansPath = folder.file("plans.json") }
    }
    #expect(error.map { "\($0)".contains(word) } == true, "\(String(describing: error))")
  }

  @Test func theCheckpointOfAnotherNetworkIsRefusedByKey() throws {
    let checkpoint = try Fixtures.checkpoint(in: "resenc3d__v2.8__float32")
    let other = try Fixtures.checkpoint(in: "plain3d__v2.8__float32")
    let plans = other.split(separator: "/").dropLast(2).map { "/\($0)" }.joined() + "/plans.json"
    #expect(throws: ConversionError(.missingKey("encoder.stages.0.0.convs.0.conv.weight"))) {
      try convert(checkpoint) { $0.plansPath = plans }
    }
  }

  @Test func aBareStateDictNeedsPlans() throws {
    let path = "\(Fixtures.folder)/checkpoints/plain3d__v2.8__float32/classifier_full.pth"
    let error = #expect(throws: ConversionError.self) { try convert(path) }
    #expect(error.map { CommandLineTool.message(of: $0).contains("--plans") } == true)
  }

  @Test func theOutputIsNeverTheInput() throws {
    let path = try Fixtures.checkpoint(in: "plain3d__v2.8__float32")
    var options = ConversionOptions()
    options.replacesOutput = true
    let conversion = try Conversion(path: path, options: options)
    let error = #expect(throws: ConversionError.self) { try conversion.write(to: path) }
    #expect(error?.kind == .cannotCreate)
  }
}
