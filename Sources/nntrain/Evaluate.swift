// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CommandLineInterface
import FileIO
import Pipeline
import SWTFormat
import SWTRuntime
import Training

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Judge an existing classifier on labelled cases that it has not seen.",
    discussion: """
      Nothing is fitted: temperature, distances and, with two classes, the threshold are what the classifier's file \
      says, or what is given.

      Example:
        nntrain evaluate classifier.swt others.csv --report external.html
      """)

  @Argument(
    help: ArgumentHelp("A .swt file with a classifier.", valueName: "model"),
    completion: .file(extensions: ["swt"]))
  var model: String
  @Argument(
    help: ArgumentHelp("The labelled cases.", valueName: "cases"),
    completion: .file(extensions: ["csv"]))
  var cases: String
  @Option(help: "The column of labels; they are classes of the model.")
  var label = LabelArguments.defaultLabel
  @Option(help: "The column of groups, which are drawn together (default: 'patient').")
  var group: String?
  @Option(help: "The seed of the drawing.")
  var seed: UInt64 = 0
  @Option(
    help: ArgumentHelp(
      "With two classes: the probability from which the second one is told (default: what training came to).",
      valueName: "p"))
  var threshold: Double?
  @OptionGroup var scans: ScanArguments
  @OptionGroup var reports: ReportArguments

  func validate() throws {
    if let threshold, !(0...1).contains(threshold) {
      throw ValidationError("--threshold must be 0…1")
    }
  }

  func run() throws {
    let table = try LabelledTable(path: cases, label: label, group: group)
    let loaded = try Model(contentsOf: model)
    guard let classifier = loaded.description.classifier else { throw RuntimeError(.noClassifier) }
    // Refused before any work.
    _ = try Evaluation.labels(of: table, Evaluation.classes(of: classifier))
    let inputs = [table.identity] + [MappedFile.identity(ofFileAt: model)].compactMap { $0 }
    let list = try scans.list(table, for: loaded.description)
    var outputs = PlannedOutputs(inputs: inputs + list.identities)
    try reports.plan(in: &outputs)
    let pipeline = scans.pipeline(
      loaded, outputs: SessionOutputs(logits: true), pooling: classifier.pooling)
    let (logits, distances) = try run(list, pipeline)
    let stored = OperatingPoint.threshold(of: loaded.description.provenance.training)
    let evaluation = try Evaluation(
      table: table, classifier: classifier, logits: logits, distances: distances,
      threshold: threshold.map { .given($0) } ?? .stored(stored), seed: seed)
    evaluation.warnings.forEach(scans.reporter.warn)
    try reports.write(
      evaluation.judgement, page: evaluation.page(provenance: provenance(loaded)),
      lines: evaluation.lines, json: evaluation.json,
      scans: ReportArguments.Scans(list, pipeline.reader), inputs: inputs + list.identities)
  }

  private func run(
    _ list: CaseList, _ pipeline: EncoderPipeline
  ) throws -> (logits: Matrix, distances: [Double]?) {
    var logits: [Double] = []
    var distances: [Double] = []
    let reporter = scans.reporter
    var progress = ScanProgress(count: list.entries.count, reporter)
    for (index, entry) in list.entries.enumerated() {
      do {
        try entry.checkScan()
        let scan = try pipeline.read(entry)
        scan.warnings.forEach(reporter.warn)
        let output = try pipeline.run(scan)
        logits += (output.logits ?? []).map { Double($0) }
        if let distance = output.foreignDistance { distances.append(distance) }
      } catch let error as any Failure {
        throw CaseFailure(name: entry.name, error: error)
      }
      progress.note(done: index + 1)
    }
    return (
      Matrix(
        rows: list.entries.count, columns: logits.count / max(list.entries.count, 1), values: logits
      ),
      distances.count == list.entries.count ? distances : nil
    )
  }

  /// What was judged, for the page.
  private func provenance(_ model: Model) -> [(name: String, value: String)] {
    let training = model.description.provenance.training
    return [
      ("model", model.modelID), ("made from", training?.parentModelID ?? "not told"),
      ("made by", training?.method ?? "not told"),
      ("input policy", model.description.inputPolicy.rawValue), ("seed", "\(seed)"),
      ("nntrain", NNTrain.version),
    ]
  }
}
