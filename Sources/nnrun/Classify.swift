import ArgumentParser
import CommandLineInterface
import FileIO
import Pipeline
import SWTFormat
import SWTRuntime

struct Classify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell which class every case belongs to.")

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
  @Flag(help: "Keep the results that --output holds already, and do the other cases only.")
  var skipDone = false

  func validate() throws {
    guard !json || format == nil || format == .json else {
      throw ValidationError("--json and --format exclude each other")
    }
    guard !skipDone || output != nil else { throw ValidationError("--skip-done needs --output") }
  }

  func run() throws {
    let loaded = try model.load()
    guard let classifier = loaded.description.classifier else { throw RuntimeError.noClassifier }
    let pipeline = cases.pipeline(
      loaded, outputs: SessionOutputs(pooled: false, logits: true), threads: model.threads,
      precision: arithmetic.precision)
    let list =
      try cases.stdin
      ? nil
      : CaseList(
        inputs: cases.inputs, channelCount: loaded.description.preprocessing.channels.count)
    let policy = list?.isArrays == true ? "as-given" : pipeline.policy.rawValue
    var file = try output.map { path in
      try ResultFile(
        path: path,
        origin: .init(kind: "logits", modelID: loaded.modelID, inputPolicy: policy),
        inputs: model.identities + (list?.identities ?? []), isResumed: skipDone)
    }
    var writer = try ClassificationWriter(
      format: json ? .json : format ?? (cases.stdin ? .jsonl : .table), classifier: classifier,
      modelID: loaded.modelID, inputPolicy: policy)
    if let file {
      for (name, row) in zip(file.names, file.rows) {
        try writer.add(.init(name: name, logits: row, error: nil))
      }
    }
    func take(_ outcome: CaseRunner.Outcome) throws {
      switch outcome.result {
      case .success(let output):
        let logits = output.logits ?? []
        try writer.add(.init(name: outcome.name, logits: logits, error: nil))
        try file?.append(outcome.name, logits)
      case .failure(let error):
        try writer.add(
          .init(name: outcome.name, logits: [], error: CommandLineTool.message(of: error)))
      }
    }
    let runner = CaseRunner(pipeline: pipeline, done: Set(file?.names ?? []))
    try runner.runAll(list, take) {
      try file?.save(extra: [("classes", JSONValue(classifier.classNames))])
      try writer.finish()
    }
  }
}
