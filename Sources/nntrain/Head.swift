// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CaseCommands
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
      CASES.csv has a header with a column 'case', the images' columns as nnrun takes them, and the label's; other columns \
      may be there. With --features no images are needed, and the model may be left out; the output is then an .npz head for \
      nnconvert attach.

      Examples:
        nntrain head model.swt cases.csv -o classifier.swt --report report.html
        nntrain head --features features.npy cases.csv -o head.npz
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
  @OptionGroup var cache: FeatureArguments
  @OptionGroup var pooling: PoolingArguments
  @Flag(
    help: "Let cross-validation choose the input policy, too: whole, sliding-window or center-crop."
  )
  var comparePolicies = false
  @Option(help: "The strength of the fit (default: chosen by nested cross-validation).")
  var c: Double?
  @Option(help: "Whether rare classes count as much as common ones: none or balanced.")
  var classWeights = HeadModel.ClassWeights.none
  @OptionGroup var reports: ReportArguments
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
    guard features == nil || (cache.cache == nil && !pooling.isGiven) else {
      throw ValidationError(
        "with --features neither --pooling nor --cache is of use: the columns are what they are")
    }
    guard !comparePolicies || features == nil else {
      throw ValidationError("--compare-policies needs scans: leave out --features")
    }
    if let c, !(c > 0 && c.isFinite) { throw ValidationError("--c must be positive") }
  }

  /// What is learned from.
  private struct Source {
    let rows: Matrix
    let candidates: [CrossValidation.Candidate]
    let model: SWTFile?
    let modelID: String?
    let inputPolicy: String?
    var scans: ReportArguments.Scans?
    /// By which cases were read from DICOM, where it is not the model's own.
    let dicomConvention: String?
    /// Of all inputs.
    let identities: [MappedFile.Identity]
  }

  func run() throws {
    let table = try labels.table(inputs[inputs.count - 1])
    let cohort = try table.cohort()
    // Refused before any work.
    _ = try cohort.folds(labels.cv)
    let source =
      try features.map { try makeSource(features: $0, table, cohort) } ?? makeSource(of: table)
    var settings = CrossValidation.Settings()
    settings.folds = labels.cv
    settings.classWeights = classWeights
    if let c { settings.cs = [c] }
    let training = try HeadTraining(
      features: source.rows, candidates: source.candidates, cohort: cohort, settings: settings,
      seed: labels.seed)
    training.warnings.forEach(scans.reporter.warn)
    let inputs = source.identities
    try write(training, source, settings, inputs: inputs)
    try reports.write(
      training.judgement, page: training.page(provenance: provenance(training, source, settings)),
      lines: training.lines, json: training.json, scans: source.scans, inputs: inputs)
  }

  private func makeSource(
    features path: String, _ table: LabelledTable, _ cohort: Cohort
  ) throws -> Source {
    let model = inputs.count == 2 ? try SWTFile(modelAt: inputs[0]) : nil
    let file = try FeatureFile(path: path)
    if let model, !ignoreOrigin { try file.checkOrigin(model) }
    let identities = [table.identity] + file.identities + [model?.identity].compactMap { $0 }
    var outputs = PlannedOutputs(inputs: identities)
    try plan(in: &outputs)
    let rows = try file.rows(of: cohort.cases)
    return Source(
      rows: rows,
      candidates: [
        CrossValidation.Candidate(
          name: "as given", columns: Array(0..<rows.columns),
          pooling: try model.map { try file.pooling(in: $0.description.architecture) }
            ?? file.pooling)
      ],
      model: model, modelID: model?.modelID ?? file.modelID,
      inputPolicy: model?.description.inputPolicy.rawValue ?? file.inputPolicy,
      dicomConvention: nil, identities: identities)
  }

  private func makeSource(of table: LabelledTable) throws -> Source {
    let file = try SWTFile(modelAt: inputs[0])
    let model = try Model(contentsOf: inputs[0])
    let list = try scans.list(table, for: file.description)
    let own = file.description.inputPolicy
    let others = comparePolicies ? InputPolicy.allCases.filter { $0 != own } : []
    let identities = [table.identity, file.identity] + list.identities
    var outputs = PlannedOutputs(inputs: identities)
    try plan(in: &outputs)
    try cache.plan([own] + others, output: output, in: &outputs)
    let widths = file.description.architecture.featuresPerStage
    let layout = Pooling.layout(for: pooling.choices, stageCount: widths.count)
    var parts: [Matrix] = []
    var candidates: [CrossValidation.Candidate] = []
    for policy in [own] + others {
      let pipeline = scans.pipeline(
        model, policy: policy, outputs: SessionOutputs(pooled: true), pooling: layout)
      do {
        let part = try cache.features(
          list, pipeline, output: output, inputs: identities, scans.reporter
        ).values
        candidates += pooling.choices.map { pooling in
          CrossValidation.Candidate(
            pooling, of: layout, widths: widths, policy: comparePolicies ? policy : nil,
            start: parts.reduce(0) { $0 + $1.columns })
        }
        parts.append(part)
      } catch let failure as CaseFailure
        where failure.isOfPolicy && (policy != others.last || !parts.isEmpty) && comparePolicies
      {
        scans.reporter.warn("input policy '\(policy.rawValue)' is left out: \(failure)")
      }
    }
    return Source(
      rows: Matrix(joining: parts), candidates: candidates, model: file, modelID: file.modelID,
      inputPolicy: own.rawValue,
      scans: ReportArguments.Scans(
        list, scans.pipeline(model, outputs: SessionOutputs(), pooling: nil).reader),
      dicomConvention: list.otherConventionName(than: file.description.preprocessing),
      identities: identities)
  }

  /// Plans what is to be written.
  private func plan(in outputs: inout PlannedOutputs) throws {
    try outputs.add(output)
    try reports.plan(in: &outputs)
  }

  private func write(
    _ training: HeadTraining, _ source: Source, _ settings: CrossValidation.Settings,
    inputs: [MappedFile.Identity]
  ) throws {
    let head = TrainedHead(training)
    if let model = source.model {
      let provenance = TrainingProvenance(
        training, settings: settings, seed: labels.seed, parentModelID: model.modelID)
      try head.write(
        onto: model, provenance: provenance, dicomConvention: source.dicomConvention, to: output,
        replacing: true, inputs: inputs)
    } else {
      try head.npz(modelID: source.modelID, inputPolicy: source.inputPolicy)
        .write(to: output, replacing: true, inputs: inputs)
    }
  }

  /// What the classifier was made from, for the page.
  private func provenance(
    _ training: HeadTraining, _ source: Source, _ settings: CrossValidation.Settings
  ) -> [(name: String, value: String)] {
    [
      ("encoder", source.modelID ?? "not told"),
      (
        "input policy",
        training.chosenCandidate.policy.map { "\($0.rawValue), chosen by cross-validation" }
          ?? source.inputPolicy ?? "not told"
      ),
      ("class weights", settings.classWeights.rawValue), ("seed", "\(labels.seed)"),
      ("nntrain", NNTrain.version),
    ] + (source.model == nil ? [] : ReportArguments.written(output))
  }
}

extension HeadModel.ClassWeights: ExpressibleByArgument {}
