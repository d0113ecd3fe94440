// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Training

/// How the last stages are trained.
struct FinetuneArguments: ParsableArguments {
  @Option(help: "How many stages learn, the last ones.")
  var unfreeze = 1
  @Option(help: "adamw, or sgd as nnU-Net has it.")
  var optimizer = FineTuningSettings.Method.adamw
  @Option(help: "The head's learning rate.")
  var lr = 1e-3
  @Option(
    help: "What the rate is divided by from the head to the last stage, and from stage to stage.")
  var lrDecay = 2.6
  @Option(help: "Epochs at most.")
  var epochs = 12
  @Option(help: "Cases whose gradients make a step.")
  var batchSize = 4
  @Option(help: "Augmented views of every case, beside the plain one.")
  var views = 4
  @Flag(help: "Do not mirror: for labels that have a side.")
  var noMirror = false
  @Option(help: "How much of a label is spread over all classes.")
  var labelSmoothing = 0.0
  @Option(help: "Epochs without a better one before training ends.")
  var patience = 4
  @Option(help: "Whether rare classes count as much as common ones: none or balanced.")
  var classWeights = HeadModel.ClassWeights.none

  func validate() throws {
    func check(_ condition: Bool, _ text: String) throws {
      guard condition else { throw ValidationError(text) }
    }
    try check((1...256).contains(unfreeze), "--unfreeze must be 1 or more")
    try check(lr > 0 && lr.isFinite, "--lr must be positive")
    try check(lrDecay >= 1 && lrDecay.isFinite, "--lr-decay must be 1 or more")
    try check((1...10_000).contains(epochs), "--epochs must be 1…10000")
    try check((1...1024).contains(batchSize), "--batch-size must be 1…1024")
    try check((0...1000).contains(views), "--views must be 0…1000")
    try check((0..<1).contains(labelSmoothing), "--label-smoothing must be below 1")
    try check(patience > 0, "--patience must be 1 or more")
  }

  func settings(seed: UInt64, stageCount: Int) throws -> FineTuningSettings {
    guard unfreeze <= stageCount else {
      throw ValidationError("--unfreeze \(unfreeze): the encoder has \(stageCount) stages")
    }
    var settings = FineTuningSettings(unfrozenStages: unfreeze)
    settings.method = optimizer
    settings.rate = lr
    settings.rateDecay = lrDecay
    settings.epochs = epochs
    settings.batchSize = batchSize
    settings.views = views
    settings.mirrors = !noMirror
    settings.smoothing = labelSmoothing
    settings.patience = patience
    settings.classWeights = classWeights
    settings.seed = seed
    return settings
  }
}

extension FineTuningSettings.Method: ExpressibleByArgument {}
