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

  /// Where features under a policy are kept; those of other policies than the model's beside.
  private func path(_ policy: InputPolicy, own: InputPolicy, output: String) -> String {
    let path = cache ?? "\(output).features.npy"
    guard policy != own else { return path }
    let ending = ".npy"
    return (path.hasSuffix(ending) ? String(path.dropLast(ending.count)) : path)
      + ".\(policy.rawValue)\(ending)"
  }

  /// Plans what is kept under some policies, of which the first is the model's.
  func plan(
    _ policies: [InputPolicy], output: String, in outputs: inout PlannedOutputs
  ) throws {
    for policy in policies {
      try FeatureCache.plan(path(policy, own: policies[0], output: output), in: &outputs)
    }
  }

  /// The features of scans in order, under the pipeline's input policy.
  func features(
    _ list: CaseList, _ pipeline: EncoderPipeline, output: String, inputs: [MappedFile.Identity],
    _ reporter: Reporter
  ) throws -> ScanFeatures {
    let own = pipeline.model.description.inputPolicy
    let path = path(pipeline.policy, own: own, output: output)
    var progress = ScanProgress(count: list.entries.count, reporter)
    let features = try ScanFeatures(
      list.entries, pipeline, cachePath: path, inputs: inputs, warn: reporter.warn
    ) { done, isCached in progress.note(done: done, isCached: isCached) }
    if progress.computed < list.entries.count {
      reporter.note(
        "\(list.entries.count - progress.computed) scans' features were kept from before")
    }
    if let (name, first) = features.repeated.first, pipeline.policy == own {
      let count = features.repeated.count
      reporter.warn(
        "\(count) scan\(count == 1 ? " is another case's" : "s are other cases'") too, such as "
          + "\(DisplayText.quoted(name)) that of \(DisplayText.quoted(first)): in different groups it is "
          + "learned from and judged")
    }
    return features
  }
}
