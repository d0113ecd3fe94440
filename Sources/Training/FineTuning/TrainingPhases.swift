// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Which stages learn when, and how fast: the head alone, then the last stage too, then the one before it; every
/// group begins with a warm-up of an epoch, and all rates fall as nnU-Net's do.
struct TrainingPhases: Sendable {
  private let settings: FineTuningSettings
  private let stepsPerEpoch: Int
  /// Of every group the epoch in which it begins to learn.
  private let starts: [Int]

  init(_ settings: FineTuningSettings, stepsPerEpoch: Int) {
    self.settings = settings
    self.stepsPerEpoch = stepsPerEpoch
    let phases = settings.unfrozenStages
    // An epoch for the head where there are enough; half of the others until all have begun.
    let first = min(1, max(0, settings.epochs - phases))
    let span = (settings.epochs - first) / 2
    starts =
      [0]
      + (0..<phases).map { min(first + $0 * span / max(phases, 1), max(settings.epochs - 1, 0)) }
  }

  /// How many stages learn in an epoch.
  func trainedStages(epoch: Int) -> Int { starts.dropFirst().count { $0 <= epoch } }

  /// Of every epoch how many stages learn.
  var trainedStages: [Int] { (0..<settings.epochs).map { trainedStages(epoch: $0) } }

  /// The learning rate of every group that learns.
  func rates(epoch: Int, step: Int) -> [Double] {
    let now = epoch * stepsPerEpoch + step
    let total = settings.epochs * stepsPerEpoch
    let factor = pow(1 - Double(now) / Double(max(total, 1)), 0.9)
    let rates = settings.rates.rates(stages: trainedStages(epoch: epoch), factor: factor)
    return rates.enumerated().map { group, rate in
      let own = now - starts[group] * stepsPerEpoch
      return rate * min(1, Double(own + 1) / Double(max(stepsPerEpoch, 1)))
    }
  }
}
