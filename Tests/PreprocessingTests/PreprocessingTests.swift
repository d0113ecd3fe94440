import FileIO
import NPY
import SWTFormat
import TestSupport
import Testing

@testable import Preprocessing

/// The arrays come from nnU-Net's own `DefaultPreprocessor`.
@Suite struct PreprocessorTests {
  @Test(arguments: 0..<4)
  func agreesWithNNUNet(_ number: Int) throws {
    let folder = "\(Fixtures.folder)/preprocessing"
    let file = try MappedFile(path: "\(folder)/case\(number).json")
    let json = try JSONParser.parse(file.bytes, allowingPythonNonFinite: true)
    let input = try NPYArray(contentsOf: "\(folder)/case\(number)_input.npy")
    let expected = try NPYArray(contentsOf: "\(folder)/case\(number)_output.npy")
    let spacing = try #require(json["spacing"]?.array).compactMap(\.double)
    let preprocessor = try Preprocessor(
      description: PreprocessingCase.description(json), threads: 2)
    let size = input.shape.dropFirst().reduce(1, *)
    let channels = try (0..<input.shape[0]).map {
      try Volume(
        shape: Array(input.shape.dropFirst()), spacing: spacing,
        values: Array(input.values[$0 * size..<($0 + 1) * size]))
    }
    let result = try preprocessor.prepare(channels: channels)
    #expect(result.shape == expected.shape)
    let boxes = try #require(json["bbox"]?.array).map { $0.array?.compactMap(\.integer) ?? [] }
    #expect(result.cropBox.map { [$0.lowerBound, $0.upperBound] } == boxes)
    let difference = zip(result.values, expected.values).map { abs($0 - $1) }.max() ?? .infinity
    #expect(difference < 5e-6)
  }
}
