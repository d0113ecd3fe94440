import ArgumentParser
import CommandLineInterface
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
      Reads the scans, measures this machine for a moment, and tells sizes, work, time and peak \
      memory. Exit status 65 where an only case does not fit into --max-memory, 8 where one of \
      several does not, or cannot be read.
      """)

  @OptionGroup var model: ModelArgument
  @OptionGroup var arithmetic: PrecisionArgument
  @OptionGroup var cases: CaseArguments
  @Flag(help: "Report as JSON.")
  var json = false
  @Flag(
    help:
      "Print the sbatch line that runs the cases as a Slurm array, from estimates of a few of them."
  )
  var slurm = false
  @Option(help: "With --slurm: how many tasks the array has (default: of about an hour each).")
  var tasks: Int?

  func validate() throws {
    guard !cases.stdin else { throw ValidationError("--stdin goes with classify and features") }
    guard tasks == nil || slurm else { throw ValidationError("--tasks goes with --slurm") }
    guard !slurm || !(json || cases.shares.isGiven) else {
      throw ValidationError("--slurm goes with neither --json nor --share")
    }
    if let tasks, Share(number: 1, count: tasks) == nil {
      throw ValidationError("--tasks must be 1…\(Share.countLimit)")
    }
  }

  func run() throws {
    let reporter = try cases.reporter()
    let loaded = try model.load()
    let pipeline = try cases.pipeline(
      loaded, outputs: SessionOutputs(logits: loaded.description.classifier != nil),
      threads: model.threads, precision: arithmetic.precision, reporter)
    guard let list = try cases.list(for: loaded, reporter) else { return }
    guard !list.isArrays else { throw InputError.arrays }
    var failed = 0
    var refusal: (any Error)?
    var reports: [JSONValue] = []
    var total = Total()
    func fail(_ entry: CaseList.Entry, _ error: any Error) {
      failed += 1
      refusal = error
      guard !list.isSingle else { return }
      reporter.report(error, about: "case \(DisplayText.quoted(entry.name))")
    }
    let entries = slurm ? Self.sample(list.entries) : list.entries
    for entry in entries {
      do {
        let (estimate, times) = try estimate(entry, pipeline, reporter)
        total.add(estimate, times)
        reports.append(report(entry, estimate, times))
        if !json, !slurm { try print(entry, estimate, times, limit: pipeline.memoryLimit) }
        do { try pipeline.check(estimate) } catch { fail(entry, error) }
      } catch {
        reports.append([
          "case": .string(entry.name), "error": .string(CommandLineTool.message(of: error)),
        ])
        fail(entry, error)
      }
    }
    pipeline.tellOrientations(reporter)
    if slurm {
      if let refusal { throw refusal }
      let line = SlurmLine(
        model: model.path, isClassifier: loaded.description.classifier != nil,
        inputs: cases.inputs, options: cases.spelled, caseCount: list.entries.count,
        seconds: total.seconds / Double(max(total.count, 1)), peakByteCount: total.peakByteCount,
        threads: pipeline.threads, tasks: tasks)
      if entries.count < list.entries.count {
        reporter.note("estimated from \(entries.count) of \(list.entries.count) cases")
      }
      try StandardOutput.writeLine(line.text)
      return
    }
    if json {
      let report: JSONValue = [
        "nnrun_version": .string(NNRun.version), "model_id": .string(loaded.modelID),
        "input_policy": .string(pipeline.policy.rawValue),
        "instruction_set": .string(Machine.instructionSet),
        "threads": .integer(pipeline.threads),
        "memory_limit": JSONValue(pipeline.memoryLimit), "cases": .array(reports),
        "total_seconds": .number(total.seconds), "peak_bytes": .integer(total.peakByteCount),
      ]
      try StandardOutput.writeLine(report.prettyText)
    } else if list.entries.count > 1 {
      try StandardOutput.write(
        TextTable.labelled([
          [
            "all \(total.count) cases",
            "about \(CaseProgress.duration(total.seconds)), memory "
              + ByteCount.text(total.peakByteCount),
          ]
        ]))
    }
    guard let refusal else { return }
    throw list.isSingle ? refusal : CasesFailed(failed: failed, total: list.entries.count)
  }

  /// A few cases from all over the list.
  private static func sample(_ entries: [CaseList.Entry]) -> [CaseList.Entry] {
    let count = 16
    guard entries.count > count else { return entries }
    return (0..<count).map { entries[$0 * entries.count / count] }
  }

  /// What all cases take together, one after the other.
  private struct Total {
    var count = 0
    var seconds = 0.0
    var peakByteCount = 0

    mutating func add(_ estimate: CaseEstimate, _ times: Times) {
      count += 1
      seconds += times.total
      peakByteCount = max(peakByteCount, estimate.peakByteCount)
    }
  }

  /// Seconds for each part of a case.
  private struct Times {
    let reading: Double
    let preprocessing: Double
    let network: Double

    var total: Double { reading + preprocessing + network }
  }

  private func estimate(
    _ entry: CaseList.Entry, _ pipeline: EncoderPipeline, _ reporter: Reporter
  ) throws -> (CaseEstimate, Times) {
    if case .unusable(let error) = entry.source { throw error }
    let start = ContinuousClock.now
    let scan = try pipeline.readTelling(entry, reporter)
    let reading = (ContinuousClock.now - start) / .seconds(1)
    let estimate = try pipeline.estimate(scan)
    let calibration = Calibration(pipeline)
    let times = Times(
      reading: reading, preprocessing: try calibration.preprocessingSeconds(scan),
      network: try calibration.networkSeconds(estimate))
    return (estimate, times)
  }

  private func report(
    _ entry: CaseList.Entry, _ estimate: CaseEstimate, _ times: Times
  ) -> JSONValue {
    [
      "case": .string(entry.name), "original_shape": JSONValue(estimate.geometry.originalShape),
      "original_spacing": JSONValue(estimate.geometry.originalSpacing),
      "shape": JSONValue(estimate.geometry.shape),
      "spacing": JSONValue(estimate.geometry.spacing),
      "windows": .integer(estimate.framing.windowCount),
      "window_shape": JSONValue(estimate.framing.inputShape),
      "gflop": .number(estimate.flops / 1e9), "peak_bytes": .integer(estimate.peakByteCount),
      "reading_seconds": .number(times.reading),
      "preprocessing_seconds": .number(times.preprocessing),
      "network_seconds": .number(times.network),
    ]
  }

  private func print(
    _ entry: CaseList.Entry, _ estimate: CaseEstimate, _ times: Times, limit: Int?
  ) throws {
    func sizes(_ sizes: some Sequence<Int>) -> String {
      sizes.map(String.init).joined(separator: "×")
    }
    func seconds(_ value: Double) -> String { Decimals.text(value, places: 2) + " s" }
    let count = estimate.framing.windowCount
    let spacing = estimate.geometry.originalSpacing.map { Decimals.text($0, places: 3) }
    let rows = [
      ["case", entry.name],
      [
        "scan",
        "\(sizes(estimate.geometry.originalShape)), spacing \(spacing.joined(separator: " × ")) mm",
      ],
      ["resampled", sizes(estimate.geometry.shape.dropFirst())],
      [
        "network sees",
        "\(count) window\(count == 1 ? "" : "s") of \(sizes(estimate.framing.windowShape)) "
          + "(\(estimate.policy.rawValue))",
      ],
      ["work", "\(Decimals.text(estimate.flops / 1e9, places: 1)) GFLOP"],
      [
        "time",
        "about \(seconds(times.total)): reading \(seconds(times.reading)), preprocessing "
          + "\(seconds(times.preprocessing)), network \(seconds(times.network))",
      ],
      [
        "memory",
        "\(ByteCount.text(estimate.peakByteCount))"
          + (limit.map { " of \(ByteCount.text($0)) that may be used" } ?? ""),
      ],
    ]
    try StandardOutput.write(TextTable.labelled(rows))
  }
}
