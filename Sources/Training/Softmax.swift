// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The softmax of logits, in double precision.
package enum Softmax {
  package static func logSumExp(_ logits: [Double]) -> Double {
    let largest = logits.max() ?? 0
    guard largest.isFinite else { return largest }
    return largest + log(logits.reduce(0) { $0 + exp($1 - largest) })
  }

  /// The probabilities of every row, logits divided by `temperature`.
  package static func probabilities(_ logits: Matrix, temperature: Double = 1) -> Matrix {
    var result = logits
    for row in 0..<logits.rows {
      let scaled = logits.row(row).map { $0 / temperature }
      let normalizer = logSumExp(scaled)
      for (column, logit) in scaled.enumerated() { result[row, column] = exp(logit - normalizer) }
    }
    return result
  }
}
