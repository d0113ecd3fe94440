// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CaseCommands
import CommandLineInterface
import FileIO
import SWTFormat
import Training

struct Plan: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Say what 'nntrain finetune' with the same arguments would take: time, memory, cache.",
    discussion: """
      Example:
        nntrain plan model.swt cases.csv --unfreeze 2
      """)

  @Argument(
    help: ArgumentHelp("MODEL.swt CASES.csv", valueName: "model> <cases"), completion: .file())
  var inputs: [String]
  @OptionGroup var labels: LabelArguments
  @OptionGroup var scans: ScanArguments
  @OptionGroup var training: FinetuneArguments
  @OptionGroup var pooling: PoolingArguments
  @Flag(help: "Report as JSON.")
  var json = false

  func validate() throws {
    guard inputs.count == 2 else { throw ValidationError("name a model and a table of cases") }
  }

  func run() throws {
    let table = try labels.table(inputs[1])
    let cohort = try table.cohort()
    _ = try cohort.folds(labels.cv)
    let source = try FineTuningSource(
      model: inputs[0], table: table, settings: training, labels: labels, scans: scans,
      pooling: pooling.choices)
    let estimate = try source.estimate(cohort, scans)
    let limit = source.memoryLimit
    if json { return try StandardOutput.writeLine(estimate.json(within: limit).prettyText) }
    for line in estimate.lines(within: limit) { try StandardOutput.writeLine(line) }
  }
}
