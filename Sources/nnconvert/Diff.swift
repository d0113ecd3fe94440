import ArgumentParser
import CommandLineInterface
import Converter
import FileIO
import SWTFormat

struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell what differs between two files of any kind: plans fields and tensors.")

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
          ($0.path, "\($0.first.lineText) and \($0.second.lineText)")
        })
      try writer.write(lines: difference.tensors.map { ($0.name, $0.what) })
    }
    guard difference.isEmpty else { throw CommandLineTool.different }
  }
}
