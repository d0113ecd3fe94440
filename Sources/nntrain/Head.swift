import ArgumentParser
import CommandLineInterface
import FileIO
import NPY
import Network
import SWTFormat
import Training

struct Head: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fit a classifier on frozen features, judged by grouped, nested cross-validation.",
    discussion: """
      CASES.csv has a header whose first column is 'case'. With --features the model may be left out;
      the output is then an .npz head for nnconvert attach.
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

  func run() throws {
    let table = try labels.table(inputs[inputs.count - 1])
    let cohort = try table.cohort()
    // Refused before any work.
    _ = try cohort.folds(labels.cv)
    guard let features else {
      throw ValidationError("give --features: scans are not read yet")
    }
    let model = inputs.count == 2 ? try SWTFile(modelAt: inputs[0]) : nil
    let file = try FeatureFile(path: features)
    if let model, !ignoreOrigin { try file.checkOrigin(model) }
    let rows = try file.rows(of: cohort.cases)
    let pooling = try model.flatMap { try file.pooling(in: $0.description.architecture) }
    var settings = CrossValidation.Settings()
    settings.folds = labels.cv
    settings.classWeights = classWeights
    if let c { settings.cs = [c] }
    let training = try HeadTraining(
      features: rows,
      candidates: [
        CrossValidation.Candidate(name: "as given", columns: Array(0..<rows.columns))
      ], cohort: cohort, settings: settings, seed: labels.seed)
    training.warnings.forEach(Reporter(name: NNTrain.tool.name).warn)

    let inputs = [table.identity, file.identity, model?.identity].compactMap { $0 }
    let provenance = TrainingProvenance(
      training, settings: settings, seed: labels.seed, parentModelID: model?.modelID)
    if let model {
      try TrainedHead(training, pooling: pooling).write(
        onto: model, provenance: provenance, to: output, replacing: true, inputs: inputs)
    } else {
      try TrainedHead(training, pooling: nil).npz(
        modelID: file.modelID, inputPolicy: file.inputPolicy
      ).write(to: output, replacing: true, inputs: inputs)
    }
    if let predictions {
      try training.writePredictions(to: predictions, replacing: true, inputs: inputs)
    }
    if let report {
      let page = TrainingPage(training, provenance: origin(model, file, settings))
      var output = try AtomicFile(path: report, replacing: true, inputs: inputs)
      try output.write(Array(page.html.utf8))
      try output.commit()
    }
    if json {
      try StandardOutput.writeLine(training.json.prettyText)
    } else {
      for line in training.lines { try StandardOutput.writeLine(line) }
    }
  }

  /// What the classifier was made from, for the page.
  private func origin(
    _ model: SWTFile?, _ features: FeatureFile, _ settings: CrossValidation.Settings
  ) -> [(name: String, value: String)] {
    [
      ("encoder", model?.modelID ?? features.modelID ?? "not told"),
      (
        "input policy",
        model?.description.inputPolicy.rawValue ?? features.inputPolicy ?? "not told"
      ),
      ("class weights", settings.classWeights.rawValue),
      ("seed", "\(labels.seed)"), ("nntrain", NNTrain.version),
    ]
  }
}

extension HeadModel.ClassWeights: ExpressibleByArgument {}
