// SPDX-License-Identifier: Apache-2.0
import CommandLineInterface
import Converter
import FileIO
import SWTFormat
import TestSupport
import Testing

/// Small files, hostile or merely odd, made by scripts/lib/fixtures/make_hostile.py together with what
/// must become of each.
@Suite struct HostileCorpusTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var file: String
    var isConverted: Bool
    var words: [String]
    var arguments: [String]

    var testDescription: String { file }
  }

  static let folder = "\(Fixtures.folder)/hostile"

  static func cases() throws -> [Case] {
    let manifest = try JSONParser.parse(MappedFile(path: "\(folder)/manifest.json").bytes)
    return try (manifest.array ?? []).map { entry in
      Case(
        file: try #require(entry["file"]?.string),
        isConverted: entry["verdict"]?.string == "convert",
        words: (entry["words"]?.array ?? []).compactMap(\.string),
        arguments: (entry["arguments"]?.array ?? []).compactMap(\.string))
    }
  }

  private static func options(_ arguments: [String]) -> ConversionOptions {
    var options = ConversionOptions()
    options.toleratesUnknownObjects = arguments.contains("--tolerate-unknown-objects")
    options.allowsNonFinite = arguments.contains("--allow-nonfinite")
    return options
  }

  @Test func theCorpusIsThere() throws {
    let files = try Fixtures.names(in: Self.folder).filter { $0 != "manifest.json" }
    #expect(files.count >= 150)
    #expect(try Self.cases().map(\.file).sorted() == files)
  }

  /// One test rather than one for each file: hundreds of lines in the log help nobody.
  @Test func everyFileIsConvertedOrRefusedWithItsSentence() throws {
    for sample in try Self.cases() {
      let folder = try TemporaryFolder()
      let output = folder.file("m.swt")
      do {
        let conversion = try Conversion(
          path: "\(Self.folder)/\(sample.file)", options: Self.options(sample.arguments))
        _ = try conversion.write(to: output)
        #expect(sample.isConverted, "\(sample.file) is converted")
        _ = try SWTFile(contentsOf: output, verifyingTensors: true)
        #expect(folder.content == ["m.swt"])
      } catch {
        let message = CommandLineTool.message(of: error)
        #expect(!sample.isConverted, "\(sample.file): \(message)")
        for word in sample.words {
          #expect(message.contains(word), "\(sample.file): \(message) lacks '\(word)'")
        }
        #expect(
          message.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F },
          "\(sample.file): the message has control characters")
        #expect(folder.content.isEmpty, "\(sample.file) leaves \(folder.content)")
      }
    }
  }

  @Test func inspectingNeverCrashes() throws {
    for sample in try Self.cases() {
      let options = Self.options(sample.arguments)
      do {
        let inspection = try Inspection(path: "\(Self.folder)/\(sample.file)", options: options)
        _ = inspection.lines()
        _ = inspection.json(includingTensors: true).prettyText
      } catch { #expect(!sample.isConverted, "\(sample.file): \(error)") }
    }
  }

  @Test func allThatIsConvertedSaysTheSameNetwork() throws {
    let folder = try TemporaryFolder()
    var names: Set<[String]> = []
    for sample in try Self.cases() where sample.isConverted {
      var options = Self.options(sample.arguments)
      options.replacesOutput = true
      let path = folder.file("m.swt")
      _ = try Conversion(path: "\(Self.folder)/\(sample.file)", options: options).write(to: path)
      names.insert(try SWTFile(contentsOf: path).tensors.map(\.name))
    }
    #expect(names.count == 1)
  }
}
