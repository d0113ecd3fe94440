// SPDX-License-Identifier: Apache-2.0
import Pipeline
import Preprocessing
import Report
import SWTFormat

/// The picture of `preprocess --preview`: a scan, and what the network sees of it.
struct PreviewPicture {
  /// The channels as they were read.
  let scan: [Volume]
  /// How their axes lie, where the header tells.
  let orientation: ScanOrientation?
  let image: PreparedImage
  let framing: InputFraming
  let preprocessing: PreprocessingDescription
  let title: String

  func picture() -> Picture {
    let (geometry, order) = (image.geometry, preprocessing.transposeForward)
    let shape = Array(image.shape.dropFirst())
    let count = shape.reduce(1, *)
    let directions =
      orientation.map { Array($0.letters.reversed()) } ?? OrientedVolume.assumedDirections
    var cropBox = geometry.cropBox
    for axis in 0..<3 { cropBox[order[axis]] = geometry.cropBox[axis] }
    let channels = scan.indices.map { index in
      let channel = preprocessing.channels[index]
      return ScanPreview.Channel(
        name: channel.name,
        scan: OrientedVolume(
          shape: scan[index].shape, spacing: scan[index].spacing, directions: directions,
          isOriented: orientation != nil, values: scan[index].values[...]),
        prepared: OrientedVolume(
          shape: shape, spacing: geometry.spacing,
          directions: order.map { directions[$0] }, isOriented: orientation != nil,
          values: image.values[index * count..<(index + 1) * count]),
        isCT: channel.normalizationScheme == "CTNormalization")
    }
    return ScanPreview(
      title: title, channels: channels, cropBox: cropBox, transposeForward: order,
      windows: framing.windows, area: framing.area
    ).picture()
  }
}
