// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CommandLineInterface
import Converter
import FileIO
import SWTFormat

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check every byte of a .swt file; with --against, every number with its source.",
    discussion: """
      Example:
        nnconvert verify model.swt --against fold_0/checkpoint_final.pth
      """)

  @Argument(help: "A .swt file.", completion: .file(extensions: ["swt"]))
  var model: String
  @Option(help: "The checkpoint the model was converted from.", completion: .file())
  var against: String?
  @Flag(help: "Report as JSON.")
  var json = false
  @OptionGroup var checkpointOptions: CheckpointOptions

  func run() throws {
    var options = ConversionOptions()
    checkpointOptions.apply(to: &options)
    let verification = try Verification(path: model)
    let differences = try against.map {
      try verification.differences(against: $0, options: options)
    }
    if json {
      let report: JSONValue = [
        "nnconvert_version": .string(NNConvertVersion.current),
        "model_id": .string(verification.modelID), "tensors": .integer(verification.tensorCount),
        "against": against.map { .string($0) } ?? .null,
        "different": .array((differences ?? []).map { .string($0.name) }),
        "trained_stages": JSONValue(verification.trainedStages),
      ]
      try StandardOutput.writeLine(report.prettyText)
    } else {
      for difference in differences ?? [] {
        let problem =
          difference.largest.map { "differs by up to \($0)" }
          ?? difference.checkpointShape.map {
            "has shape \(difference.shape), the checkpoint's \($0)"
          }
          ?? "is not in the checkpoint"
        try StandardOutput.writeLine("\(DisplayText.escaped(difference.name)) \(problem)")
      }
      let verdict =
        differences.map { differences in
          guard differences.isEmpty else { return "\(differences.count) differ" }
          let types = verification.narrowTypes.map(\.rawValue).joined(separator: ", ")
          let stages = verification.trainedStages.map(String.init).joined(separator: ", ")
          return "equal to the checkpoint" + (types.isEmpty ? "" : " after rounding to \(types)")
            + (stages.isEmpty ? "" : ", fine-tuned stages (\(stages)) left out")
        }
        ?? "intact"
      try StandardOutput.writeLine(
        "\(verification.tensorCount) tensors \(verdict), model id \(verification.modelID)")
    }
    guard differences?.isEmpty ?? true else { throw CommandLineTool.different }
  }
}
