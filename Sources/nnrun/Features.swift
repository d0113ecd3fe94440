import ArgumentParser
import FileIO
import Glibc
import NPY
import SWTFormat
import SWTRuntime

struct Features: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the encoder's features: pooled, of one stage, or of all stages.")

  @OptionGroup var model: ModelArgument
  @Argument(help: "Preprocessed arrays (.npy, float32), run exactly as given.")
  var inputs: [String]
  @Option(name: .shortAndLong, help: "The .npy to write; with --all-stages a folder.")
  var output: String
  @Option(help: "Write this stage's features, [C, z, y, x]; 0 is the highest resolution.")
  var stage: Int?
  @Flag(help: "Write every stage's features, stage0.npy and so on.")
  var allStages = false
  @Flag(help: "Write the mean of the last stage's features, [N, C] (the default).")
  var pooled = false
  @Flag(help: "Report as JSON.")
  var json = false

  func validate() throws {
    guard [stage != nil, allStages, pooled].filter({ $0 }).count <= 1 else {
      throw ValidationError("--stage, --all-stages and --pooled exclude each other")
    }
  }

  func run() throws {
    let loaded = try Model(contentsOf: model.path)
    let architecture = loaded.description.architecture
    let arrays = try InputArrays(paths: inputs, dimension: architecture.dimension)
    let identities =
      arrays.identities + [MappedFile.identity(ofFileAt: model.path)].compactMap { $0 }
    let stages = allStages ? Array(architecture.stages.indices) : stage.map { [$0] } ?? []
    let cache = SessionCache(
      model: loaded, outputs: SessionOutputs(stages: Set(stages), pooled: stages.isEmpty),
      threads: model.threads)
    var written: [(path: String, shape: [Int])] = []
    func write(_ array: NPYArray, to path: String) throws {
      try array.write(to: path, inputs: identities)
      written.append((path, array.shape))
    }
    if stages.isEmpty {
      var values: [Float] = []
      for item in arrays.cases { values += try cache.run(item).pooled ?? [] }
      try write(
        NPYArray(shape: [arrays.cases.count, values.count / arrays.cases.count], values: values),
        to: output)
    } else {
      _ = try arrays.commonShape()
      if allStages { try makeFolder(output) }
      var collected: [Int: NPYArray] = [:]
      for item in arrays.cases {
        let session = try cache.run(item)
        for stage in stages {
          guard let features = session.features(ofStage: stage) else { continue }
          let values = (collected[stage]?.values ?? []) + features.values
          let count = values.count / features.values.count
          collected[stage] = NPYArray(
            shape: arrays.isBatch ? [count] + features.shape : features.shape, values: values)
        }
      }
      for stage in stages {
        guard let array = collected[stage] else { continue }
        try write(array, to: allStages ? "\(output)/stage\(stage).npy" : output)
      }
    }
    if json { report(written, model: loaded, cases: arrays.cases.map(\.name)) }
  }

  private func makeFolder(_ path: String) throws {
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw FileError.cannotCreate(path: path, errno: errno)
    }
  }

  private func report(
    _ written: [(path: String, shape: [Int])], model: Model, cases: [String]
  ) {
    let json: JSONValue = [
      "nnrun_version": .string(NNRun.version), "model_id": .string(model.modelID),
      "cases": .array(cases.map { .string($0) }),
      "outputs": .array(
        written.map {
          ["path": .string($0.path), "shape": .array($0.shape.map { .integer($0) })]
        }),
    ]
    StandardStream.output.writeLine(json.prettyText)
  }
}

/// The model and how to run it.
struct ModelArgument: ParsableArguments {
  @Argument(help: ArgumentHelp("A .swt file.", valueName: "model"))
  var path: String
  @Option(help: "Threads (default: the processors this process may use).")
  var threads: Int?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be 1…1024")
    }
  }
}
