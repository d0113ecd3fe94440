// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CommandLineInterface
import FileIO

/// The command line that trains classifiers.
@main
struct NNTrain: ParsableCommand {
  static let tool = CommandLineTool(name: "nntrain")
  static let version = ProductVersion.current

  static let configuration = CommandConfiguration(
    commandName: "nntrain",
    abstract: "Train classifiers on the encoders that nnconvert made.",
    discussion: """
      Results go to stdout, everything else to stderr. Exit status: 0 ok, 64 usage, 65 input bad or not supported, 66 input \
      cannot be opened, 70 internal error, 73 output cannot be created, 74 read or write error.

      Example:
        nntrain head model.swt cases.csv -o classifier.swt --report report.html
      """,
    version: version,
    subcommands: [Head.self, Finetune.self, Plan.self, Evaluate.self, Augment.self])

  static func main() { tool.run(Self.self) }
}
