// SPDX-License-Identifier: Apache-2.0
import FileIO
import Network
import TestSupport
import Testing

@testable import SWTFormat

@Suite struct SWTFileTests {
  static let description = ModelDescription(
    architecture: NetworkArchitecture(
      networkClass: .plainConvUNet, dimension: 2, inputChannels: 1,
      stages: [
        NetworkArchitecture.Stage(features: 3, kernelSize: [3, 3], stride: [1, 1], blocks: 1)
      ],
      block: .convolution, convolutionBias: true,
      normalization: NetworkArchitecture.Normalization(kind: .instance, eps: 1e-5, affine: true),
      nonlinearity: NetworkArchitecture.Nonlinearity(kind: .leakyReLU, negativeSlope: 0.01)),
    part: .encoder,
    preprocessing: PreprocessingDescription(
      transposeForward: [0, 1, 2], transposeBackward: [0, 1, 2], spacing: [1, 1],
      patchSize: [8, 8],
      channels: [
        PreprocessingDescription.Channel(
          name: "MR", normalizationScheme: "ZScoreNormalization", useMaskForNorm: false)
      ],
      resamplingData: PreprocessingDescription.Resampling(
        function: "resample_data_or_seg_to_shape", keywords: JSONObject()),
      preprocessorName: "DefaultPreprocessor", imageReaderWriter: "SimpleITKIO"),
    labels: LabelDescription(labels: [LabelDescription.Label(name: "background", values: [0])]),
    provenance: Provenance(sourceSHA256: "", sourceKind: "test", nnconvertVersion: "0"))

  static func tensors(
    _ dataType: TensorDataType,
    fill: @escaping @Sendable (UnsafeMutableBufferPointer<Float>) throws -> Void
  ) -> [SWTWriter.Tensor] {
    let path = "encoder.stages.0.0.convs.0"
    return [
      SWTWriter.Tensor(
        name: "\(path).conv.weight", shape: [3, 1, 3, 3], layout: .packed16, dataType: dataType,
        fill: fill)
    ]
      + ["conv.bias", "norm.weight", "norm.bias"].map {
        SWTWriter.Tensor(
          name: "\(path).\($0)", shape: [3], layout: .rowMajor, dataType: dataType, fill: fill)
      }
  }

  static func write(to path: String, dataType: TensorDataType = .f32) throws -> SWTWriter.Summary {
    try SWTWriter.write(
      description,
      tensors: tensors(dataType) { values in
        for index in values.indices { values[index] = Float(index) * 0.5 - 3 }
      }, to: path, replacing: false)
  }

  static func bytes() throws -> [UInt8] {
    let folder = try TemporaryFolder()
    _ = try write(to: folder.file("m.swt"))
    return try MappedFile(path: folder.file("m.swt")).bytes.array
  }

  static func open(_ bytes: [UInt8]) throws -> SWTFile {
    let identity = MappedFile.Identity(device: 0, inode: 0)
    let file = try SWTFile(bytes: Bytes(bytes), identity: identity)
    try file.checkTensors()
    return file
  }

  @Test(arguments: TensorDataType.allCases)
  func comesBackAsItWasWritten(dataType: TensorDataType) throws {
    let folder = try TemporaryFolder()
    let summary = try Self.write(to: folder.file("m.swt"), dataType: dataType)
    let file = try SWTFile(contentsOf: folder.file("m.swt"), verifyingTensors: true)
    #expect(file.description == Self.description)
    #expect(file.modelID == summary.modelID)
    for entry in file.tensors {
      #expect(file.values(of: entry) == file.values(of: entry).indices.map { Float($0) * 0.5 - 3 })
      #expect(entry.offset % 256 == 0)
    }
  }

  @Test func twoFilesOfOneModelAreEqual() throws {
    #expect(try Self.bytes() == Self.bytes())
  }

  @Test func aFailedWriteLeavesNothing() throws {
    let folder = try TemporaryFolder()
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try SWTWriter.write(
        Self.description,
        tensors: Self.tensors(.f32) { _ in throw Stop() }, to: folder.file("m.swt"),
        replacing: false)
    }
    #expect(folder.content.isEmpty)
  }

  @Test func anExistingFileIsKeptUnlessReplacingIsAskedFor() throws {
    let folder = try TemporaryFolder()
    _ = try Self.write(to: folder.file("m.swt"))
    #expect(throws: SWTError.self) { try Self.write(to: folder.file("m.swt")) }
    #expect(folder.content == ["m.swt"])
  }

  @Test func aFileCutAnywhereIsRefused() throws {
    let whole = try Self.bytes()
    for count in [Int](0..<200) + Array(stride(from: 200, to: whole.count, by: 61)) {
      #expect(throws: SWTError.self) { try Self.open(Array(whole[..<count])) }
    }
    #expect(throws: SWTError.self) { try Self.open(whole + [0]) }
  }

  @Test func everyFlippedBitOfThePreambleIsFound() throws {
    let whole = try Self.bytes()
    for offset in 0..<128 {
      var damaged = whole
      damaged[offset] ^= 0x10
      #expect(throws: SWTError.self, "byte \(offset)") { try Self.open(damaged) }
    }
  }

  @Test func damagedTensorsAndPaddingAreFoundByVerify() throws {
    let whole = try Self.bytes()
    let entry = try Self.open(whole).tensors[0]
    for (offset, error) in [
      (entry.offset, SWTError(.tensorHash(name: entry.name))),
      (entry.offset - 1, SWTError(.padding(offset: entry.offset - 1))),
    ] {
      var damaged = whole
      damaged[offset] ^= 1
      #expect(throws: error) { try Self.open(damaged).verify() }
    }
  }

  /// A file whose header is another text, with a right preamble.
  private func file(header edit: (String) -> String) throws -> [UInt8] {
    let whole = try Self.bytes()
    var header = Bytes([])
    _ = try Preamble(Bytes(whole), header: &header)
    let text = Array(edit(header.utf8 ?? "").utf8)
    let data = whole[65_536...]
    let preamble = Preamble(headerLength: text.count, fileLength: 65_536 + data.count)
    return preamble.bytes(header: text) + text
      + [UInt8](repeating: 0, count: 65_536 - 128 - text.count) + data
  }

  @Test(arguments: [
    ("\"blocks\":1", "\"blocks\":1,\"blocks\":1", "twice"),
    ("\"features\":3", "\"features\":5000", "features"),
    ("\"features\":3", "\"features\":3.0", "no integer"),
    ("\"features\":3", "\"features\":4", "shape"),
    ("\"kernel_size\":[3,3]", "\"kernel_size\":[2,3]", "even"),
    ("\"kernel_size\":[3,3]", "\"kernel_size\":[3]", "entries"),
    ("\"dimension\":2", "\"dimension\":4", "dimension"),
    ("\"eps\":1e-05", "\"eps\":1e99", "eps"),
    ("\"part\":\"encoder\"", "\"part\":\"network\"", "part"),
    ("\"part\":\"encoder\"", "\"part\":\"all\"", "part"),
    ("\"dtype\":\"f32\"", "\"dtype\":\"f64\"", "dtype"),
    ("\"layout\":\"o16-i16\"", "\"layout\":\"row-major\"", "declares"),
    ("\"offset\":65536", "\"offset\":65792", "offset"),
    ("\"offset\":65536", "\"offset\":0", "offset"),
    ("\"nbytes\":12", "\"nbytes\":16", "declares"),
    ("\"shape\":[3]", "\"shape\":[0]", "shape"),
    ("\"shape\":[3]", "\"shape\":[1,1,1,1,1,1,1,1,3]", "shape"),
    ("conv.bias", "conv.bios", "missing"),
    ("conv.bias", "conv.weight", "twice"),
    ("\"tensors\":[", "\"tensors\":[],\"x\":[", "tensors"),
    ("\"input_channels\":1", "\"input_channels\":2", "channels"),
    ("{\"architecture\"", "[{\"architecture\"", "JSON"),
  ])
  func aHeaderThatBreaksARuleIsRefused(found: String, replacement: String, word: String) throws {
    let bytes = try file { text in
      guard let range = text.range(of: found) else { return text }
      return text.replacingCharacters(in: range, with: replacement)
    }
    let error = #expect(throws: SWTError.self) { try Self.open(bytes) }
    #expect(error.map { "\($0)".contains(word) } == true, "\(String(describing: error))")
  }

  @Test func unknownMembersAreIgnored() throws {
    let bytes = try file { "{\"a_new_member\":[1]," + $0.dropFirst() }
    #expect(try Self.open(bytes).description == Self.description)
  }
}

extension String {
  fileprivate func range(of text: String) -> Range<String.Index>? {
    firstRange(of: text)
  }

  fileprivate func replacingCharacters(
    in range: Range<String.Index>, with text: String
  ) -> String {
    self[..<range.lowerBound] + text + self[range.upperBound...]
  }
}
