// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Converter
import FileIO

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a model's tensors as a safetensors file.",
    discussion: """
      Example:
        nnconvert export model.swt -o model.safetensors
      """)

  @Argument(help: "A .swt file.", completion: .file(extensions: ["swt"]))
  var model: String
  @Option(name: .shortAndLong, help: "The .safetensors file to write.", completion: .file())
  var output: String
  @Flag(help: "Replace an existing output.")
  var force = false
  @Flag(help: "Say nothing but errors.")
  var quiet = false

  func validate() throws { try OutputOptions.check(output, ending: ".safetensors") }

  func run() throws {
    let byteCount = try SafetensorsExport(path: model).write(to: output, replacing: force)
    guard !quiet else { return }
    try ReportWriter(isJSON: false).write(lines: [
      ("wrote", output), ("size", Inspection.megabytes(byteCount)),
    ])
  }
}
