import ArgumentParser
import CommandLineInterface
import FileIO
import Pipeline
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

  func validate() throws {
    guard !json || format == nil || format == .json else {
      throw ValidationError("--json and --format exclude each other")
    }
    guard !skipDone || output != nil else { throw ValidationError("--skip-done needs --output") }
  }

  func run() throws {
    let interruption = Interruption()
    let reporter = try cases.reporter()
    let loaded = try model.load()
    guard let classifier = loaded.description.classifier else { throw RuntimeError.noClassifier }
    let pipeline = try cases.pipeline(
      loaded, outputs: SessionOutputs(pooled: false, logits: true), threads: model.threads,
      precision: arithmetic.precision, reporter)
    let list = try cases.list(for: loaded, reporter)
    let policy = list?.isArrays == true ? "as-given" : pipeline.policy.rawValue
    var file = try output.map { path in
      try ResultFile(
        path: ShareArguments.path(path, list?.part?.share),
        origin: .init(kind: "logits", modelID: loaded.modelID, inputPolicy: policy),
        part: list?.part, inputs: model.identities + (list?.identities ?? []), isResumed: skipDone)
    }
    var writer = try ClassificationWriter(
      format: json ? .json : format ?? (cases.stdin ? .jsonl : .table), classifier: classifier,
      modelID: loaded.modelID, inputPolicy: policy)
    func isDone(_ entry: CaseList.Entry, _ identity: CaseIdentity?) throws -> Bool {
      let rows = try file?.claim(entry, identity) ?? []
      for row in rows {
        try writer.add(
          .init(
            name: row.name, identity: row.identity, logits: row.values, distance: nil, error: nil))
      }
      return !rows.isEmpty
    }
    func take(_ outcome: CaseRunner.Outcome) throws {
      let (name, identity) = (outcome.name, outcome.identity)
      switch outcome.result {
      case .success(let output):
        let logits = output.logits ?? []
        try writer.add(
          .init(
            name: name, identity: identity, logits: logits, distance: output.foreignDistance,
            error: nil))
        try file?.append(.init(name: name, identity: identity, values: logits))
      case .failure(let error):
        try writer.add(
          .init(
            name: name, identity: identity, logits: [], distance: nil,
            error: CommandLineTool.message(of: error)))
      }
    }
    func finish(isInterrupted: Bool) throws {
      try file?.save(extra: [("classes", JSONValue(classifier.classNames))])
      try writer.finish()
      reporter.tellEnd(file, isResumed: skipDone, isInterrupted: isInterrupted)
    }
    try CaseRunner(pipeline: pipeline, reporter: reporter, interruption: interruption).run(
      list, isDone: isDone, take: take, finish: finish)
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
