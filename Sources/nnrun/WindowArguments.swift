// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CommandLineInterface
import Pipeline

/// How a segmentation looks at a scan: what decides how long it takes.
struct WindowArguments: ParsableArguments {
  private static let usualStep = 0.5

  @Flag(
    name: [.customLong("no-mirroring"), .customLong("disable_tta")],
    help: "Look at every window once, not mirrored: up to 8 times faster.")
  var noMirroring = false
  @Option(
    name: [.customLong("step-size"), .customLong("step_size", withSingleDash: true)],
    help: "How far windows slide, as a part of their size.")
  var stepSize = usualStep
  @Flag(
    name: [.customLong("save-probabilities"), .customLong("save_probabilities")],
    help: "Also write <case>.npz: probabilities, [heads, z, y, x].")
  var saveProbabilities = false
  @Option(
    name: [.customLong("fold"), .customShort("f")], parsing: .upToNextOption,
    help: "Which of the model's folds, e.g. 0 1 2 or 0,1,2 (default: all of them).")
  var folds: [String] = []
  @Option(
    name: .customLong("chk", withSingleDash: true),
    help: ArgumentHelp(
      "nnU-Net's option, which nnconvert convert takes: a model holds the checkpoint it was made from.",
      valueName: "name"))
  var checkpoint: String?

  func validate() throws {
    guard SegmentationOptions.stepSizes.contains(stepSize) else {
      throw ValidationError("--step-size must be 0.01…1")
    }
  }

  /// Says that a checkpoint cannot be chosen any more.
  func tellCheckpoint(_ reporter: Reporter) {
    guard checkpoint != nil else { return }
    reporter.warn(
      "-chk chooses nothing here: the model holds the checkpoint it was made from; nnconvert convert "
        + "-chk takes another")
  }

  var options: SegmentationOptions {
    SegmentationOptions(
      mirroring: !noMirroring, stepSize: stepSize, probabilities: saveProbabilities,
      folds: folds.isEmpty ? nil : folds.flatMap { $0.split(separator: ",").map(String.init) })
  }

  /// The options as they are written.
  var spelled: [String] {
    (noMirroring ? ["--no-mirroring"] : [])
      + (stepSize == Self.usualStep ? [] : ["--step-size", "\(stepSize)"])
      + (saveProbabilities ? ["--save-probabilities"] : [])
      + (folds.isEmpty ? [] : ["--fold", folds.joined(separator: ",")])
  }
}
