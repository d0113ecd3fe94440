// SPDX-License-Identifier: Apache-2.0
import Pipeline
import Preprocessing
import Report
import SWTFormat

/// The picture of `segment --preview`.
struct SegmentationPreview {
  private let preview: LabelPreview

  /// - Parameters:
  ///   - channel: the scan's first, as it was read.
  ///   - place: where it lies.
  init(
    _ segmentation: Segmentation, of channel: Volume, at place: ScanGeometry,
    preprocessing: PreprocessingDescription, title: String
  ) {
    let orientation = place.arrayOrientation
    let legend = segmentation.statistics().compactMap { label -> LabelPreview.Entry? in
      guard label.voxelCount > 0, let value = label.values.min() else { return nil }
      let volume = label.volume.map { "\(Decimals.text($0, places: 1)) ML" }
      return .init(label: value, text: "\(label.name): \(volume ?? "\(label.voxelCount) PIXELS")")
    }
    preview = LabelPreview(
      title: title,
      scan: OrientedVolume(
        shape: channel.shape, spacing: channel.spacing,
        directions: orientation.map { Array($0.letters.reversed()) }
          ?? OrientedVolume.assumedDirections,
        isOriented: orientation != nil, values: channel.values[...]),
      isCT: preprocessing.channels.first?.normalizationScheme == "CTNormalization",
      labels: segmentation.labels, legend: legend)
  }

  func picture() -> Picture { preview.picture() }
}
