// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CommandLineInterface
import Converter
import FileIO
import SWTFormat

struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell what differs between two files of any kind: plans fields and tensors.",
    discussion: """
      Example:
        nnconvert diff fold_0/checkpoint_best.pth fold_0/checkpoint_final.pth
      """)

  @Argument(help: "A checkpoint, model folder or .swt file.", completion: .file())
  var first: String
  @Argument(help: "Another one.", completion: .file())
  var second: String
  @Flag(help: "Report as JSON.")
  var json = false
  @OptionGroup var checkpointOptions: CheckpointOptions

  func run() throws {
    var options = ConversionOptions()
    checkpointOptions.apply(to: &options)
    let difference = try Difference(first, second, options: options)
    if json {
      let report: JSONValue = [
        "nnconvert_version": .string(NNConvertVersion.current),
        "common_tensors": .integer(difference.commonTensors),
        "fields": .array(
          difference.fields.map {
            ["path": .string($0.path), "first": $0.first, "second": $0.second]
          }),
        "tensors": .array(
          difference.tensors.map { ["name": .string($0.name), "what": .string($0.what)] }),
      ]
      try StandardOutput.writeLine(report.prettyText)
    } else if difference.isEmpty {
      try StandardOutput.writeLine("equal: \(difference.commonTensors) tensors and all fields")
    } else {
      let writer = ReportWriter(isJSON: false)
      try writer.write(
        lines: difference.fields.map {
          ($0.path, "\(Self.text($0.first)) and \(Self.text($0.second))")
        })
      try writer.write(lines: difference.tensors.map { ($0.name, $0.what) })
    }
    guard difference.isEmpty else { throw CommandLineTool.different }
  }

  /// A value as a person writes it.
  private static func text(_ value: JSONValue) -> String {
    switch value {
    case .null: return "nothing"
    case .bool(let value): return value ? "yes" : "no"
    case .string(let text): return text
    case .array(let elements):
      let isFlat = elements.allSatisfy { $0.array == nil && $0.object == nil }
      let texts = elements.map { text($0) }
      return isFlat ? texts.joined(separator: " ") : texts.joined(separator: "; ")
    case .object(let object):
      return object.members.map { "\($0.key) \(text($0.value))" }.joined(separator: ", ")
    default: return value.lineText
    }
  }
}
