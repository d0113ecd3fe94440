// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FileIO
import Report
import SWTFormat
import SWTRuntime

struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell what a model is, and how this machine would run it.",
    discussion: """
      Example:
        nnrun info model.swt --json
      """)

  @OptionGroup var model: ModelArgument
  @OptionGroup var arithmetic: PrecisionArgument
  @Option(help: "Input size to plan for, e.g. 128,128,128 (default: the patch size).")
  var shape: SizeList?
  @Flag(help: "Report as JSON.")
  var json = false

  func run() throws {
    let loaded = try model.load()
    let description = loaded.description
    let architecture = description.architecture
    let sizes = shape?.sizes ?? description.preprocessing.patchSize
    let plan = try loaded.program(
      inputShape: [architecture.inputChannels] + sizes,
      outputs: SessionOutputs(
        pooled: true, logits: description.classifier.map { $0.pooling == nil } == true),
      threads: model.threads, precision: arithmetic.precision)
    if json {
      // Elements of one type each: mixed literals take the compiler a minute.
      let steps = plan.steps.map { step -> JSONValue in
        ["name": .string(step.name), "algorithm": .string(step.algorithm)]
      }
      let report: JSONValue = [
        "nnrun_version": .string(NNRun.version), "model_id": .string(loaded.modelID),
        "bytes": .integer(loaded.byteCount), "model": description.json,
        "instruction_set": .string(Machine.instructionSet), "threads": .integer(plan.threads),
        "input_shape": JSONValue(plan.inputShape),
        "planned_bytes": .integer(plan.byteCount), "gflop": .number(plan.flops / 1e9),
        "steps": .array(steps),
      ]
      try StandardOutput.writeLine(report.prettyText)
      return
    }
    let threads = "\(plan.threads) thread\(plan.threads == 1 ? "" : "s")"
    let rows: [[String]] = [
      ["network", "\(architecture.networkClass.rawValue), \(architecture.dimension)-D"],
      ["features", architecture.featuresPerStage.map(String.init).joined(separator: " ")],
      ["input channels", description.preprocessing.channels.map(\.name).joined(separator: ", ")],
      ["spacing", spacing(of: description.preprocessing)],
      ["input policy", description.inputPolicy.rawValue],
      ["classes", description.classifier?.classNames.joined(separator: ", ") ?? "none"],
      ["file", "\(Decimals.text(Double(loaded.byteCount) / 1e6, places: 1)) MB"],
      ["model id", loaded.modelID],
      ["machine", "\(Machine.instructionSet), \(threads)"],
      ["input", sizes.map(String.init).joined(separator: "×")],
      ["work", "\(Decimals.text(plan.flops / 1e9, places: 1)) GFLOP"],
      ["memory", "\(Decimals.text(Double(plan.byteCount) / 1e6, places: 1)) MB"],
    ]
    try StandardOutput.write(TextTable.labelled(rows))
  }

  private func spacing(of preprocessing: PreprocessingDescription) -> String {
    guard let spacing = preprocessing.spacing else { return "unknown" }
    return spacing.map { "\($0)" }.joined(separator: " × ") + " mm"
  }
}

/// Sizes on the command line: `128,128,128`.
struct SizeList: ExpressibleByArgument {
  let sizes: [Int]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    let sizes = parts.compactMap { $0 }
    guard sizes.count == parts.count, (2...3).contains(sizes.count), sizes.allSatisfy({ $0 > 0 })
    else { return nil }
    self.sizes = sizes
  }
}
