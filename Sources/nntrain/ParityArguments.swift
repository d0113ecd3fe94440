// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FileIO
import SWTFormat
import SWTRuntime
import Training

/// Exact batches, for comparing with PyTorch.
struct ParityArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp("The batches.", valueName: "npz"), completion: .file(extensions: ["npz"]))
  var batches: String?
  @Option(
    help: ArgumentHelp("What they are trained with.", valueName: "json"),
    completion: .file(extensions: ["json"]))
  var spec: String?
  @Option(
    help: ArgumentHelp("Where grad.npz and steps.npz are written.", valueName: "folder"),
    completion: .directory)
  var dump: String?

  var isAsked: Bool {
    get throws {
      let count = [batches, spec, dump].compactMap { $0 }.count
      guard count == 0 || count == 3 else {
        throw ValidationError("--batches, --spec and --dump belong together")
      }
      return count == 3
    }
  }

  /// - Parameter memoryLimit: in bytes.
  func run(model: String, threads: Int?, memoryLimit: Int?) throws {
    guard let batches, let spec, let dump else { return }
    let model = try Model(contentsOf: model)
    try model.description.checkTrainable()
    let (batchFile, specificationFile) = (
      try MappedFile(path: batches), try MappedFile(path: spec)
    )
    let specification = try ParitySpecification(
      specificationFile.bytes,
      stageCount: model.description.architecture.featuresPerStage.count)
    let run = try ParityRun(
      model: model, specification: specification,
      batches: ParityBatches(
        batchFile.bytes, loss: specification.loss, classCount: specification.classCount),
      threads: threads ?? ProcessorCount.available, memoryLimit: memoryLimit)
    try run.write(to: dump, inputs: [batchFile.identity, specificationFile.identity])
  }
}
