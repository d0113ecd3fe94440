// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CaseCommands
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
      memory, for 'segment' also what --no-mirroring or larger steps would save. Exit status 65 where an \
      only case does not fit into --max-memory, 8 where one of several does not, or cannot be read.

      Examples:
        nnrun plan model.swt folder/
        nnrun plan model.swt folder/ --slurm
      """)

  @OptionGroup var model: ModelArgument
  @OptionGroup var arithmetic: PrecisionArgument
  @OptionGroup var cases: CaseArguments
  @Flag(
    inversion: .prefixedNo,
    help: "Plan 'segment' (default: where the model has a decoder and no classifier).")
  var segment: Bool?
  @OptionGroup var windows: WindowArguments
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
    let planned = try planned(loaded, reporter)
    guard let list = try cases.list(for: loaded, reporter) else { return }
    guard !list.isArrays else { throw InputError.arrays }
    var failed = 0
    var refusal: (any Error)?
    var reports: [JSONValue] = []
    var (count, seconds, peak) = (0, 0.0, 0)
    let trained = loaded.description.preprocessing.trainedOrientation
    var orientations = OrientationTally(trained: trained)
    func fail(_ entry: CaseList.Entry, _ error: any Error) {
      failed += 1
      refusal = error
      guard !list.isSingle else { return }
      reporter.report(error, about: "case \(DisplayText.quoted(entry.name))")
    }
    let entries = slurm ? Self.sample(list.entries) : list.entries
    for entry in entries {
      do {
        if case .unusable(let error) = entry.source { throw error }
        let forecast = try planned.forecast(entry)
        if let place = forecast.place { orientations.add(place) }
        count += 1
        seconds += forecast.seconds
        peak = max(peak, forecast.peakByteCount)
        reports.append(.object(JSONObject([("case", .string(entry.name))] + forecast.json)))
        if !json, !slurm {
          try StandardOutput.write(TextTable.labelled([["case", entry.name]] + forecast.rows))
        }
        if let refusal = forecast.refusal { fail(entry, refusal) }
      } catch {
        reports.append([
          "case": .string(entry.name), "error": .string(CommandLineTool.message(of: error)),
        ])
        fail(entry, error)
      }
    }
    reporter.tell(orientations, isTrained: trained != nil)
    if slurm {
      if count == 0, let refusal { throw refusal }
      let line = SlurmLine(
        verb: planned.verb, model: model.path, inputs: cases.inputs + cases.moreInputs,
        options: cases.spelled + planned.options, caseCount: list.entries.count,
        seconds: seconds / Double(max(count, 1)), peakByteCount: peak,
        threads: model.threads ?? ProcessorCount.available, tasks: tasks)
      if entries.count < list.entries.count {
        reporter.note("estimated from \(entries.count) of \(list.entries.count) cases")
      }
      try StandardOutput.writeLine(line.text)
      guard failed > 0 else { return }
      throw CasesFailed(failed: failed, total: entries.count)
    }
    if json {
      let report: JSONValue = [
        "nnrun_version": .string(NNRun.version), "model_id": .string(loaded.modelID),
        "input_policy": .string(planned.policy),
        "instruction_set": .string(Machine.instructionSet),
        "threads": .integer(model.threads ?? ProcessorCount.available),
        "memory_limit": JSONValue(planned.memoryLimit), "cases": .array(reports),
        "total_seconds": .number(seconds), "peak_bytes": .integer(peak),
      ]
      try StandardOutput.writeLine(report.prettyText)
    } else if list.entries.count > 1 {
      try StandardOutput.write(
        TextTable.labelled([
          [
            "all \(count) cases",
            "about \(CaseProgress.duration(seconds)), memory \(ByteCount.text(peak))",
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

  /// What is planned, and what tells of a case how it would go.
  private struct Planned {
    let verb: SlurmLine.Verb
    /// The verb's own options, as they are written.
    let options: [String]
    let policy: String
    let memoryLimit: Int?
    let forecast: (CaseList.Entry) throws -> CaseForecast
  }

  private func planned(_ model: Model, _ reporter: Reporter) throws -> Planned {
    let description = model.description
    let isSegmentation =
      segment ?? (description.architecture.decoder != nil && description.classifier == nil)
    guard isSegmentation else {
      let pipeline = try cases.pipeline(
        model, outputs: SessionOutputs(logits: description.classifier != nil),
        threads: self.model.threads, precision: arithmetic.precision, reporter)
      var calibration = Calibration(pipeline)
      return Planned(
        verb: description.classifier == nil ? .features : .classify, options: [],
        policy: pipeline.policy.rawValue, memoryLimit: pipeline.memoryLimit
      ) {
        try CaseForecast(of: $0, pipeline, &calibration, reporter)
      }
    }
    cases.tellFolds(of: model, reporter)
    let pipeline = try pipeline(model, windows.options)
    var others: [(option: String, pipeline: SegmentationPipeline)] = []
    if windows.options.mirroring {
      var options = windows.options
      options.mirroring = false
      others.append(("--no-mirroring", try self.pipeline(model, options)))
    }
    if windows.options.stepSize < Self.largerStep {
      var options = windows.options
      options.stepSize = Self.largerStep
      others.append(("--step-size \(Self.largerStep)", try self.pipeline(model, options)))
    }
    var calibration = Calibration(pipeline)
    return Planned(
      verb: .segment, options: windows.spelled, policy: InputPolicy.slidingWindow.rawValue,
      memoryLimit: pipeline.memoryLimit
    ) { [others] in
      try CaseForecast(of: $0, pipeline, &calibration, others: others, reporter)
    }
  }

  private static let largerStep = 0.8

  private func pipeline(
    _ model: Model, _ options: SegmentationOptions
  ) throws -> SegmentationPipeline {
    try SegmentationPipeline(
      model: model, options: options, threads: self.model.threads,
      memoryLimit: cases.memory.maxMemory,
      turningTo: cases.orientation(for: model))
  }
}
