// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// How logits become labels.
enum LabelRule: Sendable, Equatable {
  /// The number of the largest logit is the label; of equal ones the first.
  case largest
  /// Every logit with a probability above one half sets its region's label; later ones overwrite.
  case regions([UInt16])

  /// The largest logit in half precision whose sigmoid, in single precision, is not above one half.
  static let regionBound: Float = 0x1p-24

  /// nnU-Net's rule for `labels` and a network of `heads` outputs: its `LabelManager`.
  init(_ labels: LabelDescription, heads: Int) throws(PipelineError) {
    let predicted = labels.labels.filter { $0.name != "ignore" }
    let hasRegions = predicted.contains { $0.values.count > 1 }
    guard hasRegions else {
      let values = Set(predicted.flatMap(\.values))
      guard values == Set(0..<heads) else {
        throw PipelineError(
          .labels(
            "dataset.json names labels \(values.sorted()) where the network has \(heads) outputs"))
      }
      self = .largest
      return
    }
    let order = labels.regionsClassOrder ?? []
    guard order.count == heads else {
      throw PipelineError(
        .labels(
          "regions_class_order has \(order.count) entries where the network has \(heads) outputs"))
    }
    self = .regions(order.map { UInt16(clamping: $0) })
  }
}
