// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// The segmentation that a cascade's second stage is given, on the way to channels of the network: one
/// per label, 1 where the previous stage found it.
struct PreviousStage {
  /// The image's crop, `[z, y, x]`.
  private let labels: [Float]

  /// - Parameters:
  ///   - volume: what the previous stage made of the scan, `[z, y, x]` as the reader gives it.
  ///   - cut: that of the image's channels.
  init(_ volume: Volume, cut: ChannelCut) throws(PreprocessingError) {
    guard volume.shape == cut.shape else {
      throw PreprocessingError(
        .channels(
          "the previous stage's segmentation has shape \(volume.shape) but the scan \(cut.shape)"))
    }
    labels = cut.run(volume.values)
  }

  /// nnU-Net's mask for normalisation, `seg ≥ 0`: what the previous stage labelled counts as inside the
  /// scan, also where that is zero.
  func mask(_ inside: [Bool]) -> [Bool] { zip(inside, labels).map { $0 || $1 != 0 } }

  /// The channels, `[labels, z, y, x]` at the network's resolution.
  ///
  /// - Parameter inside: the scan's nonzero voxels with filled holes.
  func channels(
    inside: [Bool], _ description: PreprocessingDescription, geometry: PreparedGeometry,
    threads: Int
  ) throws(PreprocessingError) -> [Float] {
    var marked = labels
    for index in marked.indices where marked[index] == 0 && !inside[index] { marked[index] = -1 }
    let resampling = try LabelResampling(
      description.resamplingSeg, from: geometry.cropBox.map(\.count),
      to: Array(geometry.shape.dropFirst()), spacing: geometry.originalSpacing,
      newSpacing: geometry.spacing)
    if let resampling { marked = resampling.run(marked, threads: threads) }
    return description.cascadeLabels.flatMap { label in
      marked.map { $0 == Float(label) ? 1 : 0 }
    }
  }
}
