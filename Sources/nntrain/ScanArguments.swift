// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CaseCommands
import CommandLineInterface
import FileIO
import Pipeline
import SWTFormat
import SWTRuntime
import Training

/// How scans are found, read and run.
struct ScanArguments: ParsableArguments {
  @Option(help: "Threads (default: the processors this process may use).")
  var threads: Int?
  @OptionGroup var memory: MemoryArgument
  @OptionGroup var dicom: DICOMArguments
  @Flag(help: "Tell errors only.")
  var quiet = false

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be 1…1024")
    }
  }

  /// What tells people how the work goes.
  var reporter: Reporter { Reporter(name: NNTrain.tool.name, isQuiet: quiet) }

  /// The scans of a table.
  func list(_ table: LabelledTable, for model: ModelDescription) throws -> CaseList {
    let list = try CaseList(
      inputs: [table.path], channels: model.preprocessing.channels.map(\.name),
      dicom: dicom.choice, used: table.columns)
    list.notes.forEach(reporter.note)
    try dicom.tellConvention(for: list, of: model.preprocessing, reporter)
    return list
  }

  /// A pipeline for a model.
  ///
  /// - Parameter policy: instead of the model's input policy.
  func pipeline(
    _ model: Model, policy: InputPolicy? = nil, outputs: SessionOutputs,
    pooling: [Classifier.Pooling]?
  ) -> EncoderPipeline {
    EncoderPipeline(
      model: model, policy: policy, outputs: outputs, pooling: pooling, threads: threads,
      memoryLimit: memory.maxMemory)
  }
}
