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
  @Flag(help: "Write the segmentation's logits, [heads, z, y, x]; for .npy inputs.")
  var logitsMap = false
  @Flag(help: "Report as JSON.")
  var json = false
  @Flag(help: "Keep the pooled features that --output holds already, and do the other cases only.")
  var skipDone = false

  /// A map that can be written.
  private enum Map {
    case stage(Int)
    case segmentation

    func features(of output: EncoderOutput) -> EncoderOutput.StageFeatures? {
      switch self {
      case .stage(let stage): output.stages[stage]
      case .segmentation: output.segmentation
      }
    }

    /// What the file's sidecar says of it.
    var sidecar: [(String, JSONValue)] {
      switch self {
      case .stage(let stage): [("stage", .integer(stage))]
      case .segmentation: []
      }
    }
  }

  private var writesMaps: Bool { stage != nil || allStages || logitsMap }

  func validate() throws {
    guard [stage != nil, allStages, pooled, logitsMap].filter({ $0 }).count <= 1 else {
      throw ValidationError("--stage, --all-stages, --logits-map and --pooled exclude each other")
    }
    guard !writesMaps || !(skipDone || cases.stdin) else {
      throw ValidationError("--skip-done and --stdin go with pooled features only")
    }
  }

  func run() throws {
    let loaded = try model.load()
    let architecture = loaded.description.architecture
    let stages = allStages ? Array(architecture.stages.indices) : stage.map { [$0] } ?? []
    let pipeline = cases.pipeline(
      loaded,
      outputs: SessionOutputs(
        stages: Set(stages), pooled: !writesMaps, segmentation: logitsMap),
      threads: model.threads,
      precision: arithmetic.precision)
    let list =
      try cases.stdin
      ? nil
      : CaseList(
        inputs: cases.inputs, channelCount: loaded.description.preprocessing.channels.count)
    let isArrays = list?.isArrays == true
    let origin = ResultFile.Origin(
      kind: logitsMap ? "logits-map" : stages.isEmpty ? "pooled" : "stage", modelID: loaded.modelID,
      inputPolicy: isArrays ? "as-given" : pipeline.policy.rawValue)
    let inputs = model.identities + (list?.identities ?? [])
    guard !writesMaps else {
      guard isArrays || (!logitsMap && pipeline.policy == .whole && architecture.dimension == 3)
      else {
        throw InputError.stagesOfScan(
          problem: "this is '\(pipeline.policy.rawValue)' in \(architecture.dimension)-D")
      }
      let maps = logitsMap ? [Map.segmentation] : stages.map { .stage($0) }
      return try write(maps, pipeline, list, origin: origin, inputs: inputs)
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

  private func write(
    _ maps: [Map], _ pipeline: EncoderPipeline, _ list: CaseList?, origin: ResultFile.Origin,
    inputs: [MappedFile.Identity]
  ) throws {
    var shapes: [[Int]] = []
    var values = [[Float]](repeating: [], count: maps.count)
    var names: [String] = []
    // One case that did not come in a batch has no batch axis.
    var isBatch = false
    try CaseRunner(pipeline: pipeline).runAll(list) { outcome in
      guard case .success(let result) = outcome.result else { return }
      let found = maps.compactMap { $0.features(of: result) }
      if names.isEmpty { shapes = found.map(\.shape) }
      if let index = shapes.indices.first(where: { shapes[$0] != found[$0].shape }) {
        throw InputError.shapesDiffer(names[0], shapes[index], outcome.name, found[index].shape)
      }
      names.append(outcome.name)
      isBatch = outcome.isOfBatch || names.count > 1
      for (index, features) in found.enumerated() { values[index] += features.values }
    } finish: {
      guard !names.isEmpty else { return }
      if allStages { try Folder.make(output) }
      var written: [(path: String, shape: [Int])] = []
      for (index, shape) in shapes.enumerated() {
        let path = allStages ? "\(output)/stage\(index).npy" : output
        let array = NPYArray(
          shape: (isBatch ? [names.count] : []) + shape, values: values[index])
        try array.write(to: path, inputs: inputs)
        try ResultFile.writeSidecar(
          of: path, origin: origin, cases: names, extra: maps[index].sidecar,
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
