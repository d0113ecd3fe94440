// SPDX-License-Identifier: Apache-2.0
import Converter
import FileIO
import SWTFormat
import TestSupport
import Testing

/// Encoders that nnssl pre-trained: weights of nnU-Net's own classes in nnssl's dialect
/// (`scripts/lib/fixtures/make_pretrained.py`).
@Suite struct PretrainedTests {
  private let path = "\(Fixtures.folder)/pretrained/resenc3d.pth"
  private let trained = "resenc3d__v2.8__float32"

  private func convert(
    _ path: String, _ configure: (inout ConversionOptions) -> Void = { _ in }
  ) throws -> SWTFile {
    let folder = try TemporaryFolder()
    var options = ConversionOptions()
    configure(&options)
    _ = try Conversion(path: path, options: options).write(to: folder.file("m.swt"))
    return try SWTFile(contentsOf: folder.file("m.swt"), verifyingTensors: true)
  }

  @Test func theEncoderIsThatOfTheNNUNetCheckpoint() throws {
    let pretrained = try convert(path)
    let expected = try convert(Fixtures.checkpoint(in: trained))
    var architecture = pretrained.description.architecture
    architecture.decoder = expected.description.architecture.decoder
    #expect(architecture == expected.description.architecture)
    #expect(pretrained.tensors.map(\.name) == expected.tensors.map(\.name))
    #expect(pretrained.tensors.map(\.sha256) == expected.tensors.map(\.sha256))
  }

  @Test func thePreprocessingIsThePretrainings() throws {
    let preprocessing = try convert(path).description.preprocessing
    #expect(preprocessing.spacing == [1, 1, 1])
    #expect(
      preprocessing.channels.allSatisfy { $0.normalizationScheme == "ZScoreNormalization" })
  }

  @Test func citationsStayWithTheModel() throws {
    let provenance = try convert(path).description.provenance
    #expect(provenance.citations == ["@article{resenc}", "@article{mae}"])
    #expect(provenance.sourceKind.contains("nnssl"))
  }

  @Test func theDecoderThatReconstructsImagesIsNotConverted() throws {
    let error = #expect(throws: ConversionError.self) { try convert(path) { $0.part = .network } }
    #expect(error.map { "\($0)".contains("no decoder") } == true)
  }

  // MARK: - A given adaptation plan

  private let transformer = "\(Fixtures.folder)/primus/nnssl_primusx/checkpoint_final.pth"

  /// nnssl's own words, with another spacing and a second configuration.
  private func adaptationPlan(in folder: borrowing TemporaryFolder) throws -> String {
    func configuration(_ spacing: JSONValue) -> JSONValue {
      [
        "normalization_schemes": ["ZScoreNormalization"], "spacing": spacing,
        "patch_size": [32, 32, 32],
      ]
    }
    let plan: JSONValue = [
      "architecture_plans": [
        "arch_class_name": "PrimusX",
        "arch_kwargs": ["encoder_eva_depth": 3, "encoder_eva_numheads": 2],
      ],
      "pretrain_plan": [
        "configurations": [
          "onemmiso": configuration([1, 1, 1]), "coarse": configuration([2, 2, 2]),
        ]
      ],
      "pretrain_num_input_channels": 1, "recommended_downstream_patchsize": [32, 32, 32],
    ]
    let path = folder.file("adaptation_plan.json")
    var file = try AtomicFile(path: path, replacing: false)
    try file.write(Array(plan.lineText.utf8))
    try file.commit()
    return path
  }

  @Test func anAdaptationPlanIsTakenInThePlaceOfPlans() throws {
    let folder = try TemporaryFolder()
    let plan = try adaptationPlan(in: folder)
    let model = try convert(transformer) {
      $0.plansPath = plan
      $0.configuration = "coarse"
    }
    let expected = try convert(transformer)
    #expect(model.description.preprocessing.spacing == [2, 2, 2])
    #expect(model.description.architecture == expected.description.architecture)
    #expect(model.tensors.map(\.sha256) == expected.tensors.map(\.sha256))
  }

  @Test(arguments: [nil, "other"])
  func oneOfItsConfigurationsIsNamed(configuration: String?) throws {
    let folder = try TemporaryFolder()
    let plan = try adaptationPlan(in: folder)
    let error = #expect(throws: ConversionError.self) {
      try convert(transformer) {
        $0.plansPath = plan
        $0.configuration = configuration
      }
    }
    let message = "\(try #require(error))"
    #expect(message.hasPrefix("PrimusX: ") && message.contains("onemmiso, coarse"), "\(message)")
  }
}
