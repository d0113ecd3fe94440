// SPDX-License-Identifier: Apache-2.0
package import SWTFormat

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

extension Classifier {
  /// Logits as probabilities, in double, with the temperature that was fitted.
  package func probabilities(_ logits: [Float]) -> [Double] {
    let logits = logits.map { Double($0) / (temperature ?? 1) }
    switch activation {
    case .sigmoid: return logits.map { 1 / (1 + exp(-$0)) }
    case .softmax:
      let largest = logits.max() ?? 0
      let weights = logits.map { exp($0 - largest) }
      let sum = weights.reduce(0, +)
      return weights.map { $0 / sum }
    }
  }

  /// The likeliest class; a single output decides between its class and the opposite.
  package func likeliestClass(_ probabilities: [Double]) -> String {
    if activation == .sigmoid, probabilities.count == 1 {
      return (probabilities[0] < 0.5 ? "not " : "") + classNames[0]
    }
    let best = probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
    return classNames[best]
  }
}
