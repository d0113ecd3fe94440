// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// What training makes small, as PyTorch has it, reduced to a mean over the batch.
package enum Loss: Sendable, Equatable {
  /// `CrossEntropyLoss(weight, label_smoothing)`; no weights are ones.
  case crossEntropy(weights: [Double]?, smoothing: Double)
  /// `BCEWithLogitsLoss(pos_weight)`.
  case binaryCrossEntropy(positiveWeights: [Double]?)

  /// What is true of a case.
  package enum Target: Sendable, Equatable {
    case oneClass(Int)
    /// Of every class whether it is.
    case classes([Bool])
  }

  /// What the terms of a batch are divided by. It is the whole batch's, also where cases are run one by one.
  package func total(_ targets: [Target], classCount: Int) -> Double {
    switch self {
    case .crossEntropy(let weights, _):
      targets.reduce(0) { sum, target in
        guard case .oneClass(let label) = target else { return sum }
        return sum + (weights?[label] ?? 1)
      }
    case .binaryCrossEntropy: Double(targets.count * classCount)
    }
  }

  /// A case's part of the batch's loss, and its gradient by the logits.
  package func term(
    logits: [Double], target: Target, total: Double
  ) -> (value: Double, gradient: [Double]) {
    switch (self, target) {
    case (.crossEntropy(let weights, let smoothing), .oneClass(let label)):
      let normalizer = Softmax.logSumExp(logits)
      let share = smoothing / Double(logits.count)
      // How much of every class the case is said to be.
      let parts = logits.indices.map { index in
        (weights?[index] ?? 1) * (share + (index == label ? 1 - smoothing : 0))
      }
      let whole = parts.reduce(0, +)
      let value = zip(parts, logits).reduce(0) { $0 + $1.0 * (normalizer - $1.1) }
      return (
        value / total,
        zip(parts, logits).map { (exp($1 - normalizer) * whole - $0) / total }
      )
    case (.binaryCrossEntropy(let weights), .classes(let truths)):
      var value = 0.0
      let gradient = logits.indices.map { index in
        let (logit, weight) = (logits[index], weights?[index] ?? 1)
        // log(1 + e^−z), without overflow.
        let softplus = max(-logit, 0) + log1p(exp(-abs(logit)))
        let sigmoid = 1 / (1 + exp(-logit))
        value += truths[index] ? weight * softplus : logit + softplus
        return (truths[index] ? weight * (sigmoid - 1) : sigmoid) / total
      }
      return (value / total, gradient)
    default: preconditionFailure("targets are of the loss's kind")
    }
  }
}
