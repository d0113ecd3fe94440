// SPDX-License-Identifier: Apache-2.0
/// The learning rate of every group of parameters: the head, the last stage, the stage before it, …
package struct LearningRates: Sendable, Equatable {
  package var head: Double
  /// Of the last stage.
  package var encoder: Double
  /// From a stage to the one before it.
  package var layerDecay: Double

  package init(head: Double, encoder: Double, layerDecay: Double) {
    self.head = head
    self.encoder = encoder
    self.layerDecay = layerDecay
  }

  /// Of the head and `stages` stages, times a factor.
  package func rates(stages: Int, factor: Double) -> [Double] {
    var rates = [head * factor]
    var rate = encoder
    for _ in 0..<stages {
      rates.append(rate * factor)
      rate *= layerDecay
    }
    return rates
  }
}
