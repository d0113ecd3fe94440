// SPDX-License-Identifier: Apache-2.0
import SWTFormat
import TestSupport
import Testing

@testable import Network

/// A model holds the tensors of its network, no more and no fewer.
@Suite struct TensorCheckTests {
  private static let graph = Graph(GraphTests.architecture())

  /// The entries that a file of the network has.
  private static let entries = graph.parameters.map {
    TensorEntry(
      name: $0.name, dataType: .f32, shape: $0.shape, layout: $0.layout, offset: 0, byteCount: 0,
      sha256: "")
  }

  @Test func theTensorsOfItsStateDictAreRight() throws {
    try Self.graph.check(Self.entries)
  }

  @Test(arguments: entries.indices)
  func everyTensorMustBeThere(index: Int) {
    var entries = Self.entries
    let entry = entries.remove(at: index)
    #expect(throws: SWTError(.missingTensor(name: entry.name))) { try Self.graph.check(entries) }
  }

  @Test(arguments: entries.indices)
  func everyTensorMustHaveItsShapeAndLayout(index: Int) {
    var entries = Self.entries
    entries[index].shape[0] += 1
    #expect(
      throws: SWTError(
        .tensorShape(
          name: entries[index].name, found: entries[index].shape,
          expected: Self.entries[index].shape))
    ) { try Self.graph.check(entries) }
    entries = Self.entries
    let other: TensorLayout = entries[index].layout == .rowMajor ? .packed16 : .rowMajor
    entries[index].layout = other
    #expect(
      throws: SWTError(
        .tensorLayout(
          name: entries[index].name, found: other.rawValue,
          expected: Self.entries[index].layout.rawValue))
    ) { try Self.graph.check(entries) }
  }

  @Test func nothingElseMayBeThere() {
    var entries = Self.entries
    entries.append(entries[0])
    entries[entries.count - 1].name = "encoder.other"
    #expect(throws: SWTError(.unexpectedTensor(name: "encoder.other"))) {
      try Self.graph.check(entries)
    }
  }

  /// What opens a model checks it, whatever the rest of the file says.
  @Test func aModelWithoutOneOfItsTensorsIsRefused() throws {
    let folder = try TemporaryFolder()
    let description = ModelDescription(
      architecture: GraphTests.architecture(), part: .network,
      preprocessing: PreprocessingDescription(
        transposeForward: [0, 1, 2], transposeBackward: [0, 1, 2], spacing: [1, 1, 1],
        patchSize: [8, 8, 8],
        channels: ["a", "b"].map {
          PreprocessingDescription.Channel(
            name: $0, normalizationScheme: "ZScoreNormalization", useMaskForNorm: false)
        },
        resamplingData: PreprocessingDescription.Resampling(
          function: "resample_data_or_seg_to_shape", keywords: JSONObject()),
        preprocessorName: "DefaultPreprocessor", imageReaderWriter: "SimpleITKIO"),
      labels: LabelDescription(labels: [LabelDescription.Label(name: "background", values: [0])]),
      provenance: Provenance(sourceSHA256: "", sourceKind: "test", nnconvertVersion: "0"))
    func write(_ parameters: some Sequence<Parameter>, _ name: String) throws -> String {
      let tensors = parameters.map {
        SWTWriter.Tensor($0, dataType: .f32) { values in
          for index in values.indices { values[index] = 1 }
        }
      }
      _ = try SWTWriter.write(
        description, tensors: tensors, to: folder.file(name), replacing: false)
      return folder.file(name)
    }
    let parameters = Graph(description).parameters
    let whole = try write(parameters, "whole.swt")
    #expect(try SWTFile(modelAt: whole, verifyingTensors: true).tensors.count == parameters.count)
    let incomplete = try write(parameters.dropLast(), "incomplete.swt")
    #expect(throws: SWTError(.missingTensor(name: "decoder.seg_layers.0.bias"))) {
      try SWTFile(modelAt: incomplete)
    }
  }
}
