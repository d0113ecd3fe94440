// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CommandLineInterface
import FileIO
import NPY
import Pipeline
import SWTFormat
import SWTRuntime

struct Features: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Write the encoder's features: pooled, of one stage, or of all stages; or the decoder's logits.",
    discussion: """
      Examples:
        nnrun features model.swt folder/ -o features.npy
        nnrun features model.swt cases.csv --pooling all -o features.npy
        nnrun features model.swt array.npy --stage 2 -o stage2.npy
        nnrun features model.swt array.npy --logits-map -o logits.npy
      """)

  @OptionGroup var model: ModelArgument
  @OptionGroup var arithmetic: PrecisionArgument
  @OptionGroup var cases: CaseArguments
  @OptionGroup var side: JobsArgument
  @Option(
    name: .shortAndLong,
    help:
      "The .npy to write, with the case names in a .json beside it; with --all-stages a folder.",
    completion: .file()
  )
  var output: String
  @Option(help: "Write this stage's features, [C, z, y, x]; 0 is the highest resolution.")
  var stage: Int?
  @Flag(help: "Write every stage's features, stage0.npy and so on.")
  var allStages = false
  @Flag(help: "Write pooled features, [N, C] (the default).")
  var pooled = false
  @Option(
    help: ArgumentHelp(
      """
      What pooled features are: mean (of the last stage; the default), all (mean and max of every stage), nonzero-mean \
      or nonzero-all (the same over the scan's nonzero region).
      """))
  var pooling: Pooling?
  @Flag(help: "Write the logits of the segmentation, [heads, z, y, x]; for .npy inputs.")
  var logitsMap = false
  @Flag(help: "Report as JSON.")
  var json = false
  @Flag(help: "Keep the features that --output holds of these very files, and do the other cases.")
  var skipDone = false

  private var writesMaps: Bool { stage != nil || allStages || logitsMap }

  func validate() throws {
    guard [stage != nil, allStages, pooled, logitsMap].filter({ $0 }).count <= 1 else {
      throw ValidationError("--stage, --all-stages, --logits-map and --pooled exclude each other")
    }
    guard pooling == nil || !writesMaps else {
      throw ValidationError("--pooling goes with pooled features only")
    }
    guard side.jobs == 1 || !writesMaps else {
      throw ValidationError("--jobs goes with pooled features only")
    }
    guard !writesMaps || !(skipDone || cases.stdin) else {
      throw ValidationError("--skip-done and --stdin go with pooled features only")
    }
  }

  func run() throws {
    let interruption = Interruption()
    let reporter = try cases.reporter()
    let loaded = try model.load()
    let architecture = loaded.description.architecture
    let stages = allStages ? Array(architecture.stages.indices) : stage.map { [$0] } ?? []
    for stage in stages where !architecture.stages.indices.contains(stage) {
      throw RuntimeError(.stage(stage, count: architecture.stages.count))
    }
    guard !logitsMap || architecture.decoder != nil else { throw RuntimeError(.noDecoder) }
    let entries = pooling == .mean ? nil : pooling?.entries(stageCount: architecture.stages.count)
    let pipelines = try side.pipelines(
      cases, loaded,
      outputs: SessionOutputs(
        stages: Set(stages), pooled: !writesMaps, segmentation: logitsMap),
      pooling: entries, threads: model.threads, precision: arithmetic.precision, reporter)
    let pipeline = pipelines[0]
    let list = try cases.list(for: loaded, reporter)
    let output = ShareArguments.path(output, list?.part?.share)
    let isArrays = list?.isArrays == true
    let origin = ResultFile.Origin(
      kind: logitsMap ? "logits-map" : writesMaps ? "stage" : "pooled", modelID: loaded.modelID,
      inputPolicy: isArrays ? "as-given" : pipeline.policy.rawValue,
      pooling: entries?.map(\.text))
    let inputs = model.identities + cases.logIdentity + (list?.identities ?? [])
    let runner = CaseRunner(
      pipelines: pipelines, reporter: reporter, interruption: interruption,
      lines: cases.lines(for: loaded))
    guard !writesMaps else {
      guard isArrays || !logitsMap else { throw InputError.logitsOfScan }
      guard isArrays || (pipeline.policy == .whole && architecture.dimension == 3) else {
        throw InputError.stagesOfScan(
          problem: "this is '\(pipeline.policy.rawValue)' in \(architecture.dimension)-D")
      }
      try checkShapes(of: list, dimension: architecture.dimension)
      let maps = logitsMap ? [MapWriter.Map.segmentation] : stages.map { .stage($0) }
      return try write(maps, runner, list, to: output, origin: origin, inputs: inputs)
    }
    var file = try ResultFile(
      path: output, origin: origin, part: list?.part, inputs: inputs, isResumed: skipDone)
    func isDone(_ entry: CaseList.Entry, _ identity: () -> CaseIdentity?) throws -> Bool {
      try !file.claim(entry, identity).isEmpty
    }
    func take(_ outcome: CaseRunner.Outcome) throws {
      guard case .success(let result) = outcome.result else { return }
      try file.append(
        .init(name: outcome.name, identity: outcome.identity, values: result.pooled))
    }
    func finish(isInterrupted: Bool) throws {
      try file.save()
      try report(
        [(output, [file.rows.count, file.rows.first?.values.count ?? 0])], origin,
        file.rows.map(\.name), reporter)
      reporter.tellEnd(file, isResumed: skipDone, isInterrupted: isInterrupted)
    }
    try runner.run(list, isDone: isDone, take: take, finish: finish)
  }

  /// Refuses arrays whose maps fit no common array, before any of them is run; what cannot be read is told
  /// when it is its turn.
  private func checkShapes(of list: CaseList?, dimension: Int) throws {
    var first: (path: String, shape: [Int])?
    for case .array(let path) in list?.entries.map(\.source) ?? [] {
      guard let shape = try? NPYArray.shape(ofFileAt: path) else { continue }
      let size = Array(shape.suffix(dimension))
      if let first, first.shape.suffix(dimension) != size[...] {
        throw InputError.shapesDiffer(first.path, first.shape, path, shape)
      }
      first = first ?? (path, shape)
    }
  }

  private func write(
    _ maps: [MapWriter.Map], _ runner: CaseRunner, _ list: CaseList?, to output: String,
    origin: ResultFile.Origin, inputs: [MappedFile.Identity]
  ) throws {
    if allStages { try OutputFile.makeFolder(output) }
    let writers = try maps.map { map in
      var path = output
      if allStages, case .stage(let stage) = map { path = "\(output)/stage\(stage).npy" }
      try OutputFile.check(path, ending: ".npy", inputs: inputs)
      _ = try ResultFile.checkedSidecar(ResultFile.sidecar(of: path), inputs: inputs)
      return MapWriter(map, path: path, inputs: inputs)
    }
    var cases: [(name: String, identity: CaseIdentity?)] = []
    // The only case of a file of its own has no axis of cases.
    var isOne = list?.isSingle == true
    func check(_ name: String) throws {
      for writer in writers { try writer.check(name, runner.pipeline) }
    }
    func take(_ outcome: CaseRunner.Outcome) throws {
      guard case .success = outcome.result else { return }
      for writer in writers { try writer.append(outcome.name, runner.pipeline) }
      cases.append((outcome.name, outcome.identity))
      if outcome.isOfBatch { isOne = false }
    }
    func finish(isInterrupted: Bool) throws {
      var written: [(path: String, shape: [Int])] = []
      for writer in writers {
        guard let shape = try writer.finish(isOne: isOne) else { continue }
        try ResultFile.writeSidecar(
          of: writer.path, origin: origin, cases: cases, extra: writer.map.sidecar,
          inputs: inputs)
        written.append((writer.path, shape))
      }
      try report(written, origin, cases.map(\.name), runner.reporter)
      guard isInterrupted else { return }
      runner.reporter.warn(
        "interrupted with \(cases.count) case\(cases.count == 1 ? "" : "s") written — run the others "
          + "by themselves")
    }
    try runner.run(list, accepting: check, take: take, finish: finish)
  }

  private func report(
    _ written: [(path: String, shape: [Int])], _ origin: ResultFile.Origin, _ cases: [String],
    _ reporter: Reporter
  ) throws {
    guard json else {
      for file in written { reporter.note("wrote \(DisplayText.quoted(file.path)), \(file.shape)") }
      return
    }
    let json: JSONValue = [
      "nnrun_version": .string(NNRun.version), "model_id": .string(origin.modelID),
      "input_policy": .string(origin.inputPolicy), "cases": JSONValue(cases),
      "outputs": .array(
        written.map { ["path": .string($0.path), "shape": JSONValue($0.shape)] }),
    ]
    try StandardOutput.writeLine(json.prettyText)
  }
}

extension Pooling: ExpressibleByArgument {}
