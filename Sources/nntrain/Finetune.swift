// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CaseCommands
import CommandLineInterface
import FileIO
import Pipeline
import SWTFormat
import SWTRuntime
import Training

struct Finetune: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train the last stages of the encoder with a head that was fitted first.",
    discussion: """
      The head of 'nntrain head' is fitted first; then the last stages learn with it, one after the other. The result is \
      kept only where its log loss out of fold is smaller than that head's; else that head is written, and the report says \
      so. An interrupted run is taken up with --resume.

      With --batches, --spec and --dump gradients and steps on exact batches are written instead, for comparing with PyTorch.

      Examples:
        nntrain finetune model.swt cases.csv -o classifier.swt --unfreeze 1
        nntrain finetune model.swt --batches b.npz --spec spec.json --dump steps/
      """)

  @Argument(
    help: ArgumentHelp("MODEL.swt CASES.csv", valueName: "model> <cases"), completion: .file())
  var inputs: [String]
  @Option(
    name: .shortAndLong, help: "The classifier to write.", completion: .file(extensions: ["swt"]))
  var output: String?
  @OptionGroup var labels: LabelArguments
  @OptionGroup var scans: ScanArguments
  @OptionGroup var cache: FeatureArguments
  @OptionGroup var training: FinetuneArguments
  @OptionGroup var pooling: PoolingArguments
  @Flag(help: "Go on where an earlier run with the same arguments was interrupted.")
  var resume = false
  @OptionGroup var reports: ReportArguments
  @OptionGroup(title: "Comparing with PyTorch") var parity: ParityArguments

  func validate() throws {
    if try parity.isAsked {
      guard inputs.count == 1 else { throw ValidationError("--batches takes a model alone") }
      return
    }
    guard inputs.count == 2 else { throw ValidationError("name a model and a table of cases") }
    guard output != nil else { throw ValidationError("name the classifier to write: -o OUT.swt") }
  }

  func run() throws {
    if try parity.isAsked {
      return try parity.run(
        model: inputs[0], threads: scans.threads,
        memoryLimit: MemoryBudget(limit: scans.memory.maxMemory).limit)
    }
    guard let output else { return }
    let table = try labels.table(inputs[1])
    let cohort = try table.cohort()
    let folds = try cohort.folds(labels.cv)
    let source = try FineTuningSource(
      model: inputs[0], table: table, settings: training, labels: labels, scans: scans,
      pooling: pooling.choices)
    let inputs = [table.identity, source.file.identity] + source.list.identities
    var outputs = PlannedOutputs(inputs: inputs)
    try outputs.add(output)
    try reports.plan(in: &outputs)
    try cache.plan([source.file.description.inputPolicy], output: output, in: &outputs)
    let statePath = "\(output).state"
    try outputs.add(statePath)
    var state = FineTuningState(
      path: statePath, fingerprint: try source.fingerprint(table: table, scans: scans))
    let reporter = scans.reporter
    if !resume {
      try state.checkPlace()
    } else if try state.resume() {
      try state.check(source.outline(cohort, folds: folds))
    } else {
      reporter.note("no epoch of an earlier run is known; begins anew")
    }

    let estimate = try source.estimate(cohort, scans, resumedByteCount: state.byteCount)
    let limit = source.memoryLimit
    estimate.lines(within: limit).forEach(reporter.note)
    let needed = estimate.leastByteCount(isCacheInMemory: false)
    if let limit, needed > limit {
      throw PipelineError(.tooLarge(.running, needed: needed, limit: limit))
    }
    let features = try cache.features(
      source.list, source.pipeline(scans), output: output, inputs: inputs,
      reporter
    ).values
    var crossValidation = CrossValidation.Settings()
    crossValidation.folds = labels.cv
    crossValidation.classWeights = training.classWeights
    let frozen = try HeadTraining(
      features: features, candidates: source.candidates, cohort: cohort,
      settings: crossValidation, seed: labels.seed)
    frozen.warnings.forEach(reporter.warn)
    let cases = try source.cachedCases(
      cohort, estimate, folder: output.lastIndex(of: "/").map { String(output[..<$0]) } ?? ".",
      reporter: reporter)
    let interruption = Interruption()
    let result = try FineTuning(
      frozen, features: features, cases: cases, model: source.model,
      settings: source.settings, seed: labels.seed, threads: source.threads,
      sessionByteLimit: estimate.sessionByteLimit(within: limit), state: &state
    ) { text in
      reporter.note(text)
      if interruption.hasCome {
        reporter.note("stopped; go on with --resume")
        interruption.die()
      }
    }
    result.warnings.filter { !frozen.warnings.contains($0) }.forEach(reporter.warn)
    try result.head.write(
      onto: source.file,
      provenance: result.provenance(
        crossValidation: crossValidation, parentModelID: source.file.modelID,
        stageCount: source.stageCount),
      dicomConvention: source.list.otherConventionName(than: source.file.description.preprocessing),
      to: output, replacing: true, inputs: inputs)
    state.remove()
    try reports.write(
      result.written, page: result.page(provenance: provenance(source, output)),
      lines: result.lines, json: result.json,
      scans: ReportArguments.Scans(
        source.list, source.pipeline(scans).reader),
      inputs: inputs)
  }

  /// What the classifier was made from, for the page.
  private func provenance(
    _ source: FineTuningSource, _ output: String
  ) -> [(name: String, value: String)] {
    [
      ("encoder", source.file.modelID),
      ("input policy", source.file.description.inputPolicy.rawValue),
      ("seed", "\(labels.seed)"), ("nntrain", NNTrain.version),
    ] + ReportArguments.written(output)
  }
}
