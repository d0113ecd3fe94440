// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FileIO
import Report
import SWTFormat
import SWTRuntime

struct SelfTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "selftest",
    abstract: "Hold this machine's kernels against the definition, with the model's own weights.",
    discussion: """
      Example:
        nnrun selftest model.swt
      """)

  @OptionGroup var model: ModelArgument
  @OptionGroup var arithmetic: PrecisionArgument
  @Flag(help: "Report as JSON.")
  var json = false

  func run() throws {
    let loaded = try model.load(verifyingTensors: true)
    let checks = try SelfTest(
      loaded, threads: model.threads, precision: arithmetic.precision
    ).run()
    if json {
      let report: JSONValue = [
        "nnrun_version": .string(NNRun.version), "model_id": .string(loaded.modelID),
        "instruction_set": .string(Machine.instructionSet),
        "checks": .array(
          checks.map {
            [
              "name": .string($0.name),
              "error": $0.error.isFinite ? .number($0.error) : .null,
              "bound": .number($0.bound), "passed": .bool($0.isPassed),
            ]
          }),
      ]
      try StandardOutput.writeLine(report.prettyText)
    } else {
      let rows = checks.map { ["\($0.isPassed ? "ok" : "WRONG")", "\($0.error)", $0.name] }
      try StandardOutput.write(
        TextTable(header: [Machine.instructionSet, "error", "kernel"], rows: rows).text)
    }
    let wrong = checks.filter { !$0.isPassed }.count
    guard wrong == 0 else { throw SelfTestFailure(count: wrong) }
  }
}

/// This machine does not compute what it should.
struct SelfTestFailure: Failure {
  let count: Int

  var kind: FailureKind { .internalError }
  var report: FailureReport {
    .init(
      "\(count) kernels compute wrong numbers on this machine",
      advice: "try SWT_ISA=portable and report it")
  }
  var description: String { message() }
}
