// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import SWTFormat
import TestSupport
import Testing

@testable import Preprocessing
@testable import SWTFormat

/// Scans as people have them: each says whether nnU-Net reads it, what it makes of it, and what has to be
/// said about it.
@Suite struct ScanCaseTests {
  private static let folder = "\(Fixtures.folder)/cases"

  private func json(_ path: String) throws -> JSONValue {
    try JSONParser.parse(MappedFile(path: path).bytes)
  }

  private func preprocessor(_ name: String) throws -> Preprocessor {
    let model = try json("\(Self.folder)/models/\(name).json")
    let dimension = try #require(model["dimension"]?.integer)
    return try Preprocessor(
      description: PreprocessingDescription(
        JSONField(path: name, value: try #require(model["preprocessing"])), dimension: dimension),
      threads: 2)
  }

  @Test(arguments: (try? Fixtures.names(in: "\(folder)/scans")) ?? ["missing"])
  func isTreatedAsNNUNetDoes(_ name: String) throws {
    let folder = "\(Self.folder)/scans/\(name)"
    let test = try json("\(folder)/case.json")
    let preprocessor = try preprocessor(try #require(test["model"]?.string))
    let files = try #require(test["files"]?.array).compactMap(\.string).map { "\(folder)/\($0)" }
    let expectation = try #require(test["expect"]?.string)
    var messages: [String] = []
    do {
      var scan = try preprocessor.read(files: files)
      messages = scan.warnings.map(\.description)
      let image = try preprocessor.prepare(channels: scan.takeChannels())
      #expect(expectation.hasPrefix("array"), "was read")
      let expected = try NPYArray(contentsOf: "\(folder)/expected.npy")
      #expect(image.shape == expected.shape)
      let difference = Difference(image.values, expected.values)
      #expect(difference.absolute <= 2e-5 * max(difference.largest, 1))
    } catch let error as PreprocessingError {
      #expect(expectation != "array", "\(error)")
      messages.append("\(error)")
    }
    // What the case demands of messages, as a regular expression.
    if let pattern = test["stderr"]?.string {
      let expression = try Regex(pattern).ignoresCase().dotMatchesNewlines()
      let text = messages.joined(separator: "\n").replacing(folder + "/", with: "")
      #expect(text.firstMatch(of: expression) != nil, "\(text)")
    }
  }
}
