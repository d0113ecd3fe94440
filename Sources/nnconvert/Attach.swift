// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Converter

struct Attach: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put a linear head on a converted encoder, or replace the one it has.",
    discussion: """
      Example:
        nnconvert attach encoder.swt --head head.npz -o classifier.swt
      """)

  @Argument(help: "A .swt file.", completion: .file(extensions: ["swt"]))
  var model: String
  @Option(
    help: "A file with a linear head: .pth, .safetensors or scikit-learn's .npz.",
    completion: .file())
  var head: String
  @OptionGroup var headOptions: HeadOptions
  @OptionGroup var outputOptions: OutputOptions

  func run() throws {
    var options = ConversionOptions()
    options.headPath = head
    headOptions.apply(to: &options)
    outputOptions.apply(to: &options)
    let attachment = try Attachment(path: model, options: options)
    try outputOptions.report(attachment.write(to: outputOptions.output))
  }
}
