// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CommandLineInterface
import FileIO
import NPY
import Network
import Pipeline
import SWTFormat
import SWTRuntime
import Training

struct Head: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fit a classifier on frozen features, judged by grouped, nested cross-validation.",
    discussion: """
      CASES.csv has a header with a column 'case', the images' columns as nnrun takes them, and the label's;
      other columns may be there. With --features no images are needed, and the model may be left out; the
      output is then an .npz head for nnconvert attach.
      """)

  @Argument(
    help: ArgumentHelp("[MODEL.swt] CASES.csv", valueName: "model> <cases"), completion: .file())
  var inputs: [String]
  @Option(
    help: ArgumentHelp("Features made by nnrun, instead of scans.", valueName: "npy"),
    completion: .file(extensions: ["npy"]))
  var features: String?
  @Option(
    name: .shortAndLong, help: "The classifier to write: .swt, or without a model .npz.",
    completion: .file())
  var output: String
  @OptionGroup var labels: LabelArguments
  @OptionGroup var scans: ScanArguments
  @Option(
    help:
      "What the head reads: mean (of the last stage), all (mean and max of all stages), or auto.")
  var pooling = Pooling.auto
  @Option(help: "The strength of the fit (default: chosen by nested cross-validation).")
  var c: Double?
  @Option(help: "Whether rare classes count as much as common ones: none or balanced.")
  var classWeights = HeadModel.ClassWeights.none
  @Option(
    help: ArgumentHelp("Write the predictions of every case, out of fold.", valueName: "csv"),
    completion: .file())
  var predictions: String?
  @Option(
    help: ArgumentHelp("Write the report as a page, complete in itself.", valueName: "html"),
    completion: .file(extensions: ["html"]))
  var report: String?
  @Flag(help: "Report as JSON.")
  var json = false
  @Flag(help: "Use features although they are said to come from another model or input policy.")
  var ignoreOrigin = false

  func validate() throws {
    guard (1...2).contains(inputs.count) else {
      throw ValidationError("name a model and a table of cases, or with --features the table alone")
    }
    guard features != nil || inputs.count == 2 else {
      throw ValidationError(
        "without --features a model is needed: nntrain head MODEL.swt CASES.csv")
    }
    if let c, !(c > 0 && c.isFinite) { throw ValidationError("--c must be positive") }
  }

  /// What is learned from.
  private struct Source {
    let rows: Matrix
    let candidates: [CrossValidation.Candidate]
    /// What a head that reads a candidate's columns pools; `nil` for the last stage's mean.
    let poolings: [[Classifier.Pooling]?]
    let model: SWTFile?
    let modelID: String?
    let inputPolicy: String?
    let identities: [MappedFile.Identity]
  }

  func run() throws {
    let table = try labels.table(inputs[inputs.count - 1])
    let cohort = try table.cohort()
    // Refused before any work.
    _ = try cohort.folds(labels.cv)
    let source: Source
    if let features {
      source = try makeSource(features: features, cohort)
    } else {
      source = try makeSource(of: cohort)
    }
    var settings = CrossValidation.Settings()
    settings.folds = labels.cv
    settings.classWeights = classWeights
    if let c { settings.cs = [c] }
    let training = try HeadTraining(
      features: source.rows, candidates: source.candidates, cohort: cohort, settings: settings,
      seed: labels.seed)
    training.warnings.forEach(scans.reporter.warn)
    try write(training, source, settings, inputs: [table.identity] + source.identities)
    if json {
      try StandardOutput.writeLine(training.json.prettyText)
    } else {
      for line in training.lines { try StandardOutput.writeLine(line) }
    }
  }

  private func makeSource(features path: String, _ cohort: Cohort) throws -> Source {
    let model = inputs.count == 2 ? try SWTFile(modelAt: inputs[0]) : nil
    let file = try FeatureFile(path: path)
    if let model, !ignoreOrigin { try file.checkOrigin(model) }
    let rows = try file.rows(of: cohort.cases)
    return Source(
      rows: rows,
      candidates: [
        CrossValidation.Candidate(name: "as given", columns: Array(0..<rows.columns))
      ],
      poolings: [try model.flatMap { try file.pooling(in: $0.description.architecture) }],
      model: model, modelID: model?.modelID ?? file.modelID,
      inputPolicy: model?.description.inputPolicy.rawValue ?? file.inputPolicy,
      identities: [file.identity, model?.identity].compactMap { $0 })
  }

  private func makeSource(of cohort: Cohort) throws -> Source {
    let file = try SWTFile(modelAt: inputs[0])
    let (rows, poolings) = try scans.features(
      model: inputs[0], table: inputs[1], cohort, output: output)
    let candidates = pooling.candidates(
      widths: file.description.architecture.featuresPerStage)
    return Source(
      rows: rows, candidates: candidates,
      poolings: candidates.map { $0.columns.count == rows.columns ? poolings : nil },
      model: file, modelID: file.modelID, inputPolicy: file.description.inputPolicy.rawValue,
      identities: [file.identity])
  }

  private func write(
    _ training: HeadTraining, _ source: Source, _ settings: CrossValidation.Settings,
    inputs: [MappedFile.Identity]
  ) throws {
    let head = TrainedHead(
      training, pooling: source.poolings[training.crossValidation.choice.candidate])
    if let model = source.model {
      let provenance = TrainingProvenance(
        training, settings: settings, seed: labels.seed, parentModelID: model.modelID)
      try head.write(
        onto: model, provenance: provenance, to: output, replacing: true, inputs: inputs)
    } else {
      try head.npz(modelID: source.modelID, inputPolicy: source.inputPolicy)
        .write(to: output, replacing: true, inputs: inputs)
    }
    if let predictions {
      try training.writePredictions(to: predictions, replacing: true, inputs: inputs)
    }
    if let report {
      let page = TrainingPage(training, provenance: origin(source, settings))
      var file = try AtomicFile(path: report, replacing: true, inputs: inputs)
      try file.write(Array(page.html.utf8))
      try file.commit()
    }
  }

  /// What the classifier was made from, for the page.
  private func origin(
    _ source: Source, _ settings: CrossValidation.Settings
  ) -> [(name: String, value: String)] {
    [
      ("encoder", source.modelID ?? "not told"),
      ("input policy", source.inputPolicy ?? "not told"),
      ("class weights", settings.classWeights.rawValue), ("seed", "\(labels.seed)"),
      ("nntrain", NNTrain.version),
    ]
  }
}

extension HeadModel.ClassWeights: ExpressibleByArgument {}
extension Pooling: ExpressibleByArgument {}
