// SPDX-License-Identifier: Apache-2.0
/// A linear classifier on globally pooled features: AdaptiveAvgPool(1) → Flatten → Linear, or what
/// `nntrain` fits: means and maxima of any stages → Linear, a temperature, and a distance that tells
/// scans unlike those it was trained on.
public struct Classifier: Sendable, Equatable {
  /// What turns logits into probabilities.
  public enum Activation: String, Sendable, CaseIterable {
    /// Exactly one class is true.
    case softmax
    /// Every class is true or not on its own.
    case sigmoid
  }

  /// A part of the features that the classifier reads: one number per channel of a stage.
  package struct Pooling: Sendable, Hashable {
    /// What is taken of a channel, over all its voxels.
    package enum Statistic: String, Sendable, CaseIterable {
      case mean
      case max
      /// Over the voxels of the scan's nonzero region only.
      case nonzeroMean = "nonzero_mean"
      case nonzeroMax = "nonzero_max"

      /// Whether voxels outside the scan's nonzero region do not count.
      package var isOfNonzero: Bool { self == .nonzeroMean || self == .nonzeroMax }
    }
    package var stage: Int
    package var statistic: Statistic

    package init(stage: Int, statistic: Statistic) {
      self.stage = stage
      self.statistic = statistic
    }

    /// As heads in other files name it: `3:mean` for the means of stage 3's channels.
    package var text: String { "\(stage):\(statistic.rawValue)" }

    /// `nil` for any other text.
    package init?(text: String) {
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, let stage = Int(parts[0]), stage >= 0,
        let statistic = Statistic(rawValue: String(parts[1]))
      else { return nil }
      self.init(stage: stage, statistic: statistic)
    }

    /// Some statistics of every stage, stage by stage.
    package static func every(_ statistics: [Statistic], stageCount: Int) -> [Pooling] {
      (0..<stageCount).flatMap { stage in
        statistics.map { Pooling(stage: stage, statistic: $0) }
      }
    }

    /// Mean and maximum of every stage, in that order.
    package static func all(stageCount: Int) -> [Pooling] {
      every([.mean, .max], stageCount: stageCount)
    }
  }

  /// How far features lie from those of training: the squared Mahalanobis distance to the nearest
  /// class, and the distance beyond which a scan is unlike them.
  package struct OutOfDistribution: Sendable, Equatable {
    /// How the precision matrix is stored.
    package enum Precision: Sendable, Equatable {
      /// As it is, `[features, features]`.
      case full
      /// As a diagonal less that many directions; for more features than `fullLimit`.
      case lowRank(Int)
    }
    package var threshold: Double
    package var precision: Precision

    package init(threshold: Double, precision: Precision) {
      self.threshold = threshold
      self.precision = precision
    }

    /// The most features that a full precision matrix may have.
    package static let fullLimit = 1024
    /// The most directions of a low-rank one.
    package static let rankLimit = 1024
  }

  /// Names of the outputs, in order.
  public package(set) var classNames: [String]
  /// Width of the features it reads: by default the last of `features_per_stage`.
  public package(set) var inputFeatures: Int
  /// Whether there is a bias.
  package var hasBias: Bool
  /// What turns logits into probabilities.
  public package(set) var activation: Activation
  /// SHA-256 of the file the head came from, in hex.
  package var sourceSHA256: String
  /// What it reads, in order; `nil` for the mean of the last stage.
  package var pooling: [Pooling]?
  /// What logits are divided by before they become probabilities.
  package var temperature: Double?
  /// How foreign scans are told, where that was fitted.
  package var outOfDistribution: OutOfDistribution?

  /// Creates a classifier description.
  package init(
    classNames: [String], inputFeatures: Int, hasBias: Bool, activation: Activation,
    sourceSHA256: String, pooling: [Pooling]? = nil, temperature: Double? = nil,
    outOfDistribution: OutOfDistribution? = nil
  ) {
    self.classNames = classNames
    self.inputFeatures = inputFeatures
    self.hasBias = hasBias
    self.activation = activation
    self.sourceSHA256 = sourceSHA256
    self.pooling = pooling
    self.temperature = temperature
    self.outOfDistribution = outOfDistribution
  }

  /// Whether it has what format version 1.0 cannot say.
  package var isTrainedHead: Bool {
    pooling != nil || temperature != nil || outOfDistribution != nil
  }

  /// What it reads, in order, of an encoder with that many stages.
  package func pooling(stageCount: Int) -> [Pooling] {
    pooling ?? [Pooling(stage: stageCount - 1, statistic: .mean)]
  }
}

extension Classifier {
  /// What the names of its tensors begin with.
  package static let tensorPrefix = "classifier."
  /// `[classes, features]`.
  package static let weightName = "classifier.weight"
  /// `[classes]`.
  package static let biasName = "classifier.bias"
  /// `[classes, features]`: the mean of every class.
  package static let meanName = "classifier.ood.mean"
  /// `[features, features]`.
  package static let precisionName = "classifier.ood.precision"
  /// `[features]` of a low-rank precision matrix: what differences are multiplied by first.
  package static let scaleName = "classifier.ood.scale"
  /// `[rank, features]` of a low-rank precision matrix.
  package static let directionsName = "classifier.ood.directions"

  /// Its tensors in file order; all are stored row-major.
  package var tensors: [(name: String, shape: [Int])] {
    let classes = classNames.count
    var result = [(name: Self.weightName, shape: [classes, inputFeatures])]
    if hasBias { result.append((Self.biasName, [classes])) }
    guard let outOfDistribution else { return result }
    result.append((Self.meanName, [classes, inputFeatures]))
    switch outOfDistribution.precision {
    case .full: result.append((Self.precisionName, [inputFeatures, inputFeatures]))
    case .lowRank(let rank):
      result.append((Self.scaleName, [inputFeatures]))
      result.append((Self.directionsName, [rank, inputFeatures]))
    }
    return result
  }
}

extension [Classifier.Pooling] {
  /// How many features they come to: one for every channel of a stage.
  package func featureCount(_ featuresPerStage: [Int]) -> Int {
    reduce(0) { $0 + featuresPerStage[$1.stage] }
  }
}
