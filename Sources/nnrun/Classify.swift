// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CaseCommands
import CommandLineInterface
import FileIO
import Pipeline
import Report
import SWTFormat
import SWTRuntime

struct Classify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell which class every case belongs to.",
    discussion: """
      Examples:
        nnrun classify model.swt scan.nii.gz
        nnrun classify model.swt t1.nii.gz,t2.nii.gz --json
        nnrun classify model.swt folder/ --format csv > classes.csv
      """)

  @OptionGroup var model: ModelArgument
  @OptionGroup var arithmetic: PrecisionArgument
  @OptionGroup var cases: CaseArguments
  @OptionGroup var side: JobsArgument
  @Option(
    name: .shortAndLong,
    help: "Also write the logits as .npy, [N, classes], with the case names in a .json beside it.",
    completion: .file())
  var output: String?
  @Option(help: "What to print: table, json, jsonl or csv (default: table; jsonl with --stdin).")
  var format: ClassificationWriter.Format?
  @Flag(help: "The same as --format json.")
  var json = false
  @Flag(help: "Keep the results that --output holds of these very files, and do the other cases.")
  var skipDone = false

  @Option(
    help: ArgumentHelp(
      "Also write where the logits come from: per case and class a NIfTI file on the scan's grid, and a picture.",
      valueName: "folder"), completion: .directory)
  var maps: String?
  @Option(help: "Also write a page (HTML) about all cases.", completion: .file())
  var report: String?

  func validate() throws {
    guard side.jobs == 1 || (maps == nil && report == nil) else {
      throw ValidationError("--jobs goes with neither --maps nor --report")
    }
    guard maps == nil || !skipDone else {
      throw ValidationError("--maps makes all maps anew: leave out --skip-done")
    }
    guard !json || format == nil || format == .json else {
      throw ValidationError("--json and --format exclude each other")
    }
    guard !skipDone || output != nil else { throw ValidationError("--skip-done needs --output") }
  }

  func run() throws {
    let interruption = Interruption()
    let reporter = try cases.reporter()
    let loaded = try model.load()
    guard let classifier = loaded.description.classifier else { throw RuntimeError(.noClassifier) }
    let pipelines = try side.pipelines(
      cases, loaded, outputs: SessionOutputs(pooled: false, logits: true), threads: model.threads,
      precision: arithmetic.precision, makesMaps: maps != nil, reporter)
    let pipeline = pipelines[0]
    let list = try cases.list(for: loaded, reporter)
    let policy = list?.isArrays == true ? "as-given" : pipeline.policy.rawValue
    let inputs = model.identities + cases.logIdentity + (list?.identities ?? [])
    var file = try output.map { path in
      try ResultFile(
        path: ShareArguments.path(path, list?.part?.share),
        origin: .init(kind: "logits", modelID: loaded.modelID, inputPolicy: policy),
        part: list?.part, inputs: inputs, isResumed: skipDone)
    }
    var writer = try ClassificationWriter(
      format: json ? .json : format ?? (cases.stdin ? .jsonl : .table), classifier: classifier,
      modelID: loaded.modelID, inputPolicy: policy)
    guard maps == nil || list?.isArrays != true else { throw InputError.arrays }
    let share = list?.part?.share
    let mapOutputs = try maps.map {
      try MapOutputs(
        folder: ShareArguments.path($0, share), classNames: classifier.classNames, inputs: inputs)
    }
    let reportPath = report.map { ShareArguments.path($0, share) }
    if let reportPath { try OutputFile.check(reportPath, ending: ".html", inputs: inputs) }
    let look = CaseLook(pipeline)
    var page = ClassificationPage(
      classifier: classifier, provenance: provenance(pipeline, policy: policy))
    func isDone(_ entry: CaseList.Entry, _ identity: () -> CaseIdentity?) throws -> Bool {
      let rows = try file?.claim(entry, identity) ?? []
      for row in rows {
        let row = ClassificationWriter.Row(
          name: row.name, identity: row.identity, logits: row.values, distance: nil, error: nil)
        try writer.add(row)
        page.add(.init(row: row, warnings: [], seconds: 0, thumbnail: nil))
      }
      return !rows.isEmpty
    }
    func take(_ outcome: CaseRunner.Outcome) throws {
      let (name, identity) = (outcome.name, outcome.identity)
      let isShown = reportPath != nil && page.takesThumbnails
      var thumbnail: Picture?
      let row: ClassificationWriter.Row
      switch outcome.result {
      case .success(let output):
        let logits = output.logits ?? []
        row = .init(
          name: name, identity: identity, logits: logits, distance: output.foreignDistance,
          error: nil)
        if let mapOutputs, let maps = output.maps {
          let mapped = try look.mapped(outcome, maps, logits: logits, classifier)
          try mapOutputs.write(mapped, threads: pipeline.threads)
          if isShown {
            thumbnail = mapped.picture.thumbnail(side: CaseThumbnails.side)
          }
        } else if isShown {
          thumbnail = try look.thumbnail(outcome.entry)
        }
        try file?.append(.init(name: name, identity: identity, values: logits))
      case .failure(let error):
        row = .init(
          name: name, identity: identity, logits: [], distance: nil,
          error: CommandLineTool.message(of: error))
      }
      try writer.add(row)
      page.add(
        .init(
          row: row, warnings: outcome.warnings, seconds: outcome.seconds, thumbnail: thumbnail))
    }
    func finish(isInterrupted: Bool) throws {
      try file?.save(extra: [("classes", JSONValue(classifier.classNames))])
      try writer.finish()
      if let reportPath { try page.write(to: reportPath, inputs: inputs) }
      reporter.tellEnd(file, isResumed: skipDone, isInterrupted: isInterrupted)
    }
    try CaseRunner(
      pipelines: pipelines, reporter: reporter, interruption: interruption,
      lines: cases.lines(for: loaded)
    ).run(list, isDone: isDone, take: take, finish: finish)
  }

  /// What the cases were run with, for the page.
  private func provenance(
    _ pipeline: EncoderPipeline, policy: String
  ) -> [(name: String, value: String)] {
    let origin = pipeline.model.description.provenance
    return [
      ("model", pipeline.model.modelID), ("trainer", origin.trainerName ?? ""),
      ("plans", origin.plansName ?? ""), ("configuration", origin.configuration ?? ""),
      ("input policy", policy), ("arithmetic", pipeline.precision.rawValue),
      ("machine", "\(Machine.instructionSet), \(pipeline.threads) threads"),
      ("nnrun", NNRun.version),
    ].filter { !$0.1.isEmpty }.map { (name: $0.0, value: $0.1) }
  }
}

extension Reporter {
  /// Tells what was there already, and how to go on after an interruption.
  func tellEnd(_ file: ResultFile?, isResumed: Bool, isInterrupted: Bool) {
    if let file, isResumed { note("\(file.resumption.text), in \(DisplayText.quoted(file.path))") }
    guard isInterrupted else { return }
    if let file {
      warn(
        "interrupted with \(file.rows.count) case\(file.rows.count == 1 ? "" : "s") in "
          + "\(DisplayText.quoted(file.path)) — run the same command with --skip-done to go on")
    } else {
      warn("interrupted — what is printed is complete")
    }
  }
}
