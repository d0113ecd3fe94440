public import ArgumentParser
import CommandLineInterface
import FileIO
import Pipeline
public import SWTFormat
import SWTRuntime

/// The cases a command works on, and how.
struct CaseArguments: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "NIfTI scans (one file per channel, joined by commas), folders of scans named case_0000.nii.gz, "
        + "a .csv of cases, or preprocessed arrays (.npy), which are run exactly as given.",
      valueName: "input"), completion: .file())
  var inputs: [String] = []
  @Flag(
    help: "Take cases from stdin, one JSON object a line: {\"case\": …, \"images\": [file, …]}.")
  var stdin = false
  @Option(help: "How the network sees a scan: whole, sliding-window or center-crop.")
  var inputPolicy: InputPolicy?
  @Option(help: "The most memory to use, e.g. 2G (default: what this machine has left).")
  var maxMemory: MemorySize?

  func validate() throws {
    guard stdin != !inputs.isEmpty else {
      throw ValidationError(
        stdin ? "--stdin and inputs exclude each other" : "name an input, or use --stdin")
    }
  }

  /// A pipeline for `model`; a note goes to stderr where the model's policy is overridden.
  func pipeline(
    _ model: Model, outputs: SessionOutputs, threads: Int?, precision: Precision = .f32
  ) -> EncoderPipeline {
    let stored = model.description.inputPolicy
    if let inputPolicy, inputPolicy != stored {
      NNRun.tool.note(
        "input policy '\(inputPolicy.rawValue)' instead of the model's "
          + "'\(stored.rawValue)'")
    }
    return EncoderPipeline(
      model: model, policy: inputPolicy, outputs: outputs, threads: threads,
      precision: precision, memoryLimit: maxMemory?.byteCount ?? MemoryBudget.available)
  }
}

extension InputPolicy: ExpressibleByArgument {}

/// A size in memory on the command line: `2G`, `800M`, `1.5GiB`.
struct MemorySize: ExpressibleByArgument {
  let byteCount: Int

  init?(argument: String) {
    guard let byteCount = ByteCount.parse(argument) else { return nil }
    self.byteCount = byteCount
  }
}
