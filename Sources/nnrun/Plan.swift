import ArgumentParser
import FileIO
import Pipeline
import Preprocessing
import Report
import SWTFormat
import SWTRuntime

struct Plan: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell what running cases would take, before any of it is done.",
    discussion: """
      Reads the scans, measures this machine for a moment, and tells sizes, work, time and peak
      memory. Exit status 65 where a case does not fit into --max-memory.
      """)

  @OptionGroup var model: ModelArgument
  @OptionGroup var arithmetic: PrecisionArgument
  @OptionGroup var cases: CaseArguments
  @Flag(help: "Report as JSON.")
  var json = false

  func validate() throws {
    guard !cases.stdin else { throw ValidationError("--stdin goes with classify and features") }
  }

  func run() throws {
    let loaded = try model.load()
    let pipeline = cases.pipeline(
      loaded, outputs: SessionOutputs(logits: loaded.description.classifier != nil),
      threads: model.threads,
      precision: arithmetic.precision)
    let list = try CaseList(
      inputs: cases.inputs, channelCount: loaded.description.preprocessing.channels.count)
    guard !list.isArrays else { throw InputError.arrays }
    var refusal: (any Error)?
    var reports: [JSONValue] = []
    for entry in list.entries {
      let start = ContinuousClock.now
      let scan = try pipeline.readTelling(entry.files)
      let reading = (ContinuousClock.now - start) / .seconds(1)
      let plan = try pipeline.plan(scan.channels)
      let calibration = Calibration(pipeline)
      let times = Times(
        reading: reading,
        preprocessing: try calibration.preprocessingSeconds(plan, channels: scan.channels),
        network: try calibration.networkSeconds(plan))
      do { try pipeline.checkMemory(plan) } catch { refusal = error }
      if json {
        reports.append(report(entry, plan, times))
      } else {
        try print(entry, plan, times, limit: pipeline.memoryLimit)
      }
    }
    if json {
      let report: JSONValue = [
        "nnrun_version": .string(NNRun.version), "model_id": .string(loaded.modelID),
        "input_policy": .string(pipeline.policy.rawValue),
        "instruction_set": .string(Machine.instructionSet),
        "threads": .integer(pipeline.threads),
        "memory_limit": JSONValue(pipeline.memoryLimit), "cases": .array(reports),
      ]
      try StandardOutput.writeLine(report.prettyText)
    }
    if let refusal { throw refusal }
  }

  /// Seconds for each part of a case.
  private struct Times {
    let reading: Double
    let preprocessing: Double
    let network: Double

    var total: Double { reading + preprocessing + network }
  }

  private func report(_ entry: CaseList.Entry, _ plan: CasePlan, _ times: Times) -> JSONValue {
    [
      "case": .string(entry.name), "original_shape": JSONValue(plan.geometry.originalShape),
      "original_spacing": JSONValue(plan.geometry.originalSpacing),
      "shape": JSONValue(plan.geometry.shape), "spacing": JSONValue(plan.geometry.spacing),
      "windows": .integer(plan.framing.windowCount),
      "window_shape": JSONValue(plan.framing.inputShape),
      "gflop": .number(plan.flops / 1e9), "peak_bytes": .integer(plan.peakByteCount),
      "reading_seconds": .number(times.reading),
      "preprocessing_seconds": .number(times.preprocessing),
      "network_seconds": .number(times.network),
    ]
  }

  private func print(
    _ entry: CaseList.Entry, _ plan: CasePlan, _ times: Times, limit: Int?
  ) throws {
    func sizes(_ sizes: some Sequence<Int>) -> String {
      sizes.map(String.init).joined(separator: "×")
    }
    func seconds(_ value: Double) -> String { Decimals.text(value, places: 2) + " s" }
    let count = plan.framing.windowCount
    let rows = [
      ["case", entry.name],
      [
        "scan",
        "\(sizes(plan.geometry.originalShape)), spacing "
          + "\(plan.geometry.originalSpacing.map { Decimals.text($0, places: 3) }.joined(separator: " × ")) mm",
      ],
      ["resampled", sizes(plan.geometry.shape.dropFirst())],
      [
        "network sees",
        "\(count) window\(count == 1 ? "" : "s") of \(sizes(plan.framing.windowShape)) "
          + "(\(plan.policy.rawValue))",
      ],
      ["work", "\(Decimals.text(plan.flops / 1e9, places: 1)) GFLOP"],
      [
        "time",
        "about \(seconds(times.total)): reading \(seconds(times.reading)), preprocessing "
          + "\(seconds(times.preprocessing)), network \(seconds(times.network))",
      ],
      [
        "memory",
        "\(ByteCount.text(plan.peakByteCount))"
          + (limit.map { " of \(ByteCount.text($0)) that may be used" } ?? ""),
      ],
    ]
    try StandardOutput.write(TextTable.labelled(rows))
  }
}
