// SPDX-License-Identifier: Apache-2.0
import Converter
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
}
