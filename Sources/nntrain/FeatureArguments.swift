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

  /// The features of scans in order.
  func features(
    _ list: CaseList, of model: Model, scans: ScanArguments, output: String
  ) throws -> ScanFeatures {
    let pipeline = scans.pipeline(
      model, outputs: SessionOutputs(pooled: true),
      pooling: Classifier.Pooling.all(stageCount: model.description.architecture.stages.count))
    var progress = ScanProgress(count: list.entries.count, scans.reporter)
    let features = try ScanFeatures(
      list.entries, pipeline, cachePath: cache ?? "\(output).features.npy"
    ) { done, isCached in progress.note(done: done, isCached: isCached) }
    if progress.computed < list.entries.count {
      scans.reporter.note(
        "\(list.entries.count - progress.computed) scans' features were kept from before")
    }
    return features
  }
}
