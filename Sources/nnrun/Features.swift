import ArgumentParser
import FileIO
import NPY
import Pipeline
import SWTFormat
import SWTRuntime

struct Features: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the encoder's features: pooled, of one stage, or of all stages.")

  @OptionGroup var model: ModelArgument
  @OptionGroup var arithmetic: PrecisionArgument
  @OptionGroup var cases: CaseArguments
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
  @Flag(help: "Write the mean of the last stage's features, [N, C] (the default).")
  var pooled = false
  @Flag(help: "Report as JSON.")
  var json = false
  @Flag(help: "Keep the pooled features that --output holds already, and do the other cases only.")
  var skipDone = false

  private var writesStages: Bool { stage != nil || allStages }

  func validate() throws {
    guard [stage != nil, allStages, pooled].filter({ $0 }).count <= 1 else {
      throw ValidationError("--stage, --all-stages and --pooled exclude each other")
    }
    guard !writesStages || !(skipDone || cases.stdin) else {
      throw ValidationError("--skip-done and --stdin go with pooled features only")
    }
  }

  func run() throws {
    let loaded = try model.load()
    let architecture = loaded.description.architecture
    let stages = allStages ? Array(architecture.stages.indices) : stage.map { [$0] } ?? []
    let pipeline = cases.pipeline(
      loaded, outputs: SessionOutputs(stages: Set(stages), pooled: stages.isEmpty),
      threads: model.threads,
      precision: arithmetic.precision)
    let list =
      try cases.stdin
      ? nil
      : CaseList(
        inputs: cases.inputs, channelCount: loaded.description.preprocessing.channels.count)
    let isArrays = list?.isArrays == true
    let origin = ResultFile.Origin(
      kind: stages.isEmpty ? "pooled" : "stage", modelID: loaded.modelID,
      inputPolicy: isArrays ? "as-given" : pipeline.policy.rawValue)
    let inputs = model.identities + (list?.identities ?? [])
    guard stages.isEmpty else {
      guard isArrays || (pipeline.policy == .whole && architecture.dimension == 3) else {
        throw InputError.stagesOfScan(
          problem: "this is '\(pipeline.policy.rawValue)' in \(architecture.dimension)-D")
      }
      return try writeStages(stages, pipeline, list, origin: origin, inputs: inputs)
    }
    var file = try ResultFile(path: output, origin: origin, inputs: inputs, isResumed: skipDone)
    try CaseRunner(pipeline: pipeline, done: Set(file.names)).runAll(list) { outcome in
      if case .success(let result) = outcome.result {
        try file.append(outcome.name, result.pooled)
      }
    } finish: {
      try file.save()
      try report([(output, [file.rows.count, file.rows.first?.count ?? 0])], origin, file.names)
    }
  }

  private func writeStages(
    _ stages: [Int], _ pipeline: EncoderPipeline, _ list: CaseList?, origin: ResultFile.Origin,
    inputs: [MappedFile.Identity]
  ) throws {
    var shapes: [[Int]] = []
    var values: [Int: [Float]] = [:]
    var names: [String] = []
    // One case that did not come in a batch has no batch axis.
    var isBatch = false
    try CaseRunner(pipeline: pipeline).runAll(list) { outcome in
      guard case .success(let result) = outcome.result else { return }
      let found = stages.compactMap { result.stages[$0] }
      if names.isEmpty { shapes = found.map(\.shape) }
      if let index = shapes.indices.first(where: { shapes[$0] != found[$0].shape }) {
        throw InputError.shapesDiffer(names[0], shapes[index], outcome.name, found[index].shape)
      }
      names.append(outcome.name)
      isBatch = outcome.isOfBatch || names.count > 1
      for (stage, features) in zip(stages, found) {
        values[stage, default: []] += features.values
      }
    } finish: {
      guard !names.isEmpty else { return }
      if allStages { try Folder.make(output) }
      var written: [(path: String, shape: [Int])] = []
      for (stage, shape) in zip(stages, shapes) {
        let path = allStages ? "\(output)/stage\(stage).npy" : output
        let array = NPYArray(
          shape: (isBatch ? [names.count] : []) + shape, values: values[stage] ?? [])
        try array.write(to: path, inputs: inputs)
        try ResultFile.writeSidecar(
          of: path, origin: origin, cases: names, extra: [("stage", .integer(stage))],
          inputs: inputs)
        written.append((path, array.shape))
      }
      try report(written, origin, names)
    }
  }

  private func report(
    _ written: [(path: String, shape: [Int])], _ origin: ResultFile.Origin, _ cases: [String]
  ) throws {
    guard json else { return }
    let json: JSONValue = [
      "nnrun_version": .string(NNRun.version), "model_id": .string(origin.modelID),
      "input_policy": .string(origin.inputPolicy), "cases": JSONValue(cases),
      "outputs": .array(
        written.map { ["path": .string($0.path), "shape": JSONValue($0.shape)] }),
    ]
    try StandardOutput.writeLine(json.prettyText)
  }
}
