// SPDX-License-Identifier: Apache-2.0
package import SWTFormat
package import SWTRuntime

/// How the last stages are trained.
package struct FineTuningSettings: Sendable, Equatable {
  package enum Method: String, Sendable, CaseIterable {
    /// nnU-Net's: Nesterov's momentum.
    case sgd
    case adamw
  }

  /// How many stages learn, the last ones.
  package var unfrozenStages: Int
  package var method = Method.adamw
  /// The head's learning rate.
  package var rate = 1e-3
  /// What the rate is divided by from the head to the last stage, and from a stage to the one before.
  package var rateDecay = 2.6
  package var epochs = 12
  package var batchSize = 4
  /// Augmented views of every case, beside the plain one.
  package var views = 4
  package var mirrors = true
  package var smoothing = 0.0
  package var classWeights = HeadModel.ClassWeights.none
  /// Epochs without a better one before training ends.
  package var patience = 4
  package var seed: UInt64 = 0

  /// The largest norm of all gradients, as nnU-Net has it.
  package static let clip = 12.0

  package init(unfrozenStages: Int) { self.unfrozenStages = unfrozenStages }

  package var optimizer: Optimizer.Settings {
    switch method {
    case .sgd:
      Optimizer.Settings(
        rule: .sgd(momentum: 0.99), weightDecay: 3e-5, decaysVectors: true, clip: Self.clip)
    case .adamw:
      Optimizer.Settings(
        rule: .adamW(beta1: 0.9, beta2: 0.999, eps: 1e-8), weightDecay: 1e-2,
        decaysVectors: false, clip: Self.clip)
    }
  }

  package var rates: LearningRates {
    LearningRates(head: rate, encoder: rate / rateDecay, layerDecay: 1 / rateDecay)
  }

  /// How every class counts in the loss.
  func loss(labels: [Int], classCount: Int) -> Loss {
    guard classWeights == .balanced else {
      return .crossEntropy(weights: nil, smoothing: smoothing)
    }
    let weights = classWeights.weights(labels, classCount: classCount)
    var perClass = [Double](repeating: 1, count: classCount)
    for (label, weight) in zip(labels, weights) { perClass[label] = weight }
    return .crossEntropy(weights: perClass, smoothing: smoothing)
  }

  /// As a file's provenance has them.
  package var json: JSONObject {
    JSONObject([
      ("unfrozen_stages", .integer(unfrozenStages)), ("optimizer", .string(method.rawValue)),
      ("lr", .number(rate)), ("lr_decay", .number(rateDecay)), ("epochs", .integer(epochs)),
      ("batch_size", .integer(batchSize)), ("views", .integer(views)),
      ("mirror", .bool(mirrors)), ("label_smoothing", .number(smoothing)),
      ("class_weights", .string(classWeights.rawValue)), ("clip", .number(Self.clip)),
      ("patience", .integer(patience)),
    ])
  }
}
