import ArgumentParser
import CommandLineInterface
import FileIO
import SWTFormat
import SWTRuntime
import Training

struct Finetune: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train the last stages of the encoder with the head.",
    discussion: """
      With --batches, --spec and --dump gradients and steps on exact batches are written, for comparing with
      PyTorch; nothing else is done then.
      """)

  @Argument(
    help: ArgumentHelp("A .swt file with a classifier.", valueName: "model"),
    completion: .file(extensions: ["swt"]))
  var model: String
  @Option(help: "Threads (default: the processors this process may use).")
  var threads: Int?
  @Option(
    help: ArgumentHelp("Exact batches, for comparing with PyTorch.", valueName: "npz"),
    completion: .file(extensions: ["npz"]))
  var batches: String?
  @Option(
    help: ArgumentHelp("What the batches are trained with.", valueName: "json"),
    completion: .file(extensions: ["json"]))
  var spec: String?
  @Option(
    help: ArgumentHelp("Where grad.npz and steps.npz are written.", valueName: "folder"),
    completion: .directory)
  var dump: String?

  func validate() throws {
    let hooks = [batches, spec, dump].compactMap { $0 }.count
    guard hooks == 3 else {
      throw ValidationError("--batches, --spec and --dump belong together")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be 1…1024")
    }
  }

  func run() throws {
    if let batches, let spec, let dump {
      try compare(batches: batches, specification: spec, folder: dump)
    }
  }

  private func compare(batches: String, specification: String, folder: String) throws {
    let loaded = try Model(contentsOf: model)
    let (batchFile, specificationFile) = (
      try MappedFile(path: batches), try MappedFile(path: specification)
    )
    let specification = try ParitySpecification(
      specificationFile.bytes,
      stageCount: loaded.description.architecture.featuresPerStage.count)
    let run = try ParityRun(
      model: loaded, specification: specification,
      batches: ParityBatches(
        batchFile.bytes, loss: specification.loss, classCount: specification.classCount),
      threads: threads ?? ProcessorCount.available)
    try run.write(to: folder, inputs: [batchFile.identity, specificationFile.identity])
  }
}
