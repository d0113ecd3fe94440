// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CommandLineInterface
import FileIO
import Pipeline
import SWTFormat
import SWTRuntime
import Training

/// Where features of scans are kept.
struct FeatureArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where features are kept for the next run (default: beside the output, .features.npy).",
      valueName: "npy"), completion: .file(extensions: ["npy"]))
  var cache: String?

  /// The features of scans in order, under the pipeline's input policy; those of other policies than the model's are
  /// kept beside.
  func features(
    _ list: CaseList, _ pipeline: EncoderPipeline, output: String, _ reporter: Reporter
  ) throws -> ScanFeatures {
    var path = cache ?? "\(output).features.npy"
    if pipeline.policy != pipeline.model.description.inputPolicy {
      let ending = ".npy"
      path = path.hasSuffix(ending) ? String(path.dropLast(ending.count)) : path
      path += ".\(pipeline.policy.rawValue)\(ending)"
    }
    var progress = ScanProgress(count: list.entries.count, reporter)
    let features = try ScanFeatures(
      list.entries, pipeline, cachePath: path, warn: reporter.warn
    ) { done, isCached in progress.note(done: done, isCached: isCached) }
    if progress.computed < list.entries.count {
      reporter.note(
        "\(list.entries.count - progress.computed) scans' features were kept from before")
    }
    return features
  }
}
