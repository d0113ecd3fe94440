// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CommandLineInterface
import FileIO

/// The runtime's command line.
@main
struct NNRun: ParsableCommand {
  static let version = ProductVersion.current

  static let configuration = CommandConfiguration(
    commandName: "nnrun",
    abstract: "Run encoders and classifiers converted by nnconvert.",
    discussion: """
      Results go to stdout, everything else to stderr. Exit status: 0 ok, 8 some cases failed, \
      64 usage, 65 input bad or not supported, 66 input cannot be opened, 70 internal error, \
      73 output cannot be created, 74 read or write error.

      Examples:
        nnrun classify model.swt scan.nii.gz
        nnrun features model.swt folder/ -o features.npy
        nnrun plan model.swt scan.nii.gz
      """,
    version: version,
    subcommands: [
      Features.self, Classify.self, Segment.self, Preprocess.self, Plan.self, Merge.self, Info.self,
      Bench.self,
      SelfTestCommand.self,
    ])

  static let tool = CommandLineTool(name: "nnrun")

  static func main() { tool.run(Self.self) }
}
