// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CommandLineInterface
import Converter

/// The converter's command line.
@main
struct NNConvert: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nnconvert",
    abstract: "Convert trained nnU-Net models into single .swt files, without Python.",
    discussion: """
      Checkpoints are read as data: nothing in them is ever run. \
      Results go to stdout, everything else to stderr. Exit status: 0 ok, 1 files differ, \
      64 usage, 65 input bad or not supported, 66 input cannot be opened, 70 internal error, \
      73 output cannot be created, 74 read or write error.

      Examples:
        nnconvert convert fold_0/checkpoint_final.pth -o encoder.swt
        nnconvert inspect fold_0/checkpoint_final.pth
      """,
    version: NNConvertVersion.current,
    subcommands: [
      Convert.self, Attach.self, Inspect.self, Verify.self, Diff.self, Export.self,
    ])

  static let tool = CommandLineTool(name: "nnconvert")

  static func main() { tool.run(Self.self) }
}
