// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CommandLineInterface
import Converter
import FileIO
import SWTFormat

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell what a checkpoint or .swt file holds; reads headers only.",
    discussion: """
      Examples:
        nnconvert inspect fold_0/checkpoint_final.pth
        nnconvert inspect model.swt --tensors
      """)

  @Argument(help: "A checkpoint or a .swt file.", completion: .file())
  var file: String
  @Flag(help: "List every tensor.")
  var tensors = false
  @Flag(help: "Report as JSON.")
  var json = false
  @OptionGroup var checkpointOptions: CheckpointOptions

  func run() throws {
    var options = ConversionOptions()
    checkpointOptions.apply(to: &options)
    let inspection = try Inspection(path: file, options: options)
    if json {
      try StandardOutput.writeLine(
        inspection.json(includingTensors: tensors, naming: { $0.option }).prettyText)
      return
    }
    inspection.warnings.forEach(Reporter(name: NNConvert.tool.name).warn)
    let writer = ReportWriter(isJSON: false)
    try writer.write(lines: inspection.lines { $0.option })
    if tensors {
      try StandardOutput.write("\n")
      try writer.write(
        lines: inspection.tensors.map { ($0.name, "\($0.elementType) \($0.shape)") })
    }
  }
}
