import Pipeline
import Preprocessing
import Report
import SWTFormat

/// The picture of `preprocess --preview`: a scan, and what the network sees of it.
struct PreviewPicture {
  /// The channels as they were read.
  let scan: [Volume]
  let image: PreparedImage
  let framing: InputFraming
  let preprocessing: PreprocessingDescription
  let title: String

  func picture() -> Picture {
    let (geometry, order) = (image.geometry, preprocessing.transposeForward)
    let shape = Array(image.shape.dropFirst())
    let count = shape.reduce(1, *)
    var cropBox = geometry.cropBox
    for axis in 0..<3 { cropBox[order[axis]] = geometry.cropBox[axis] }
    let channels = scan.indices.map { index in
      let channel = preprocessing.channels[index]
      return ScanPreview.Channel(
        name: channel.name,
        scan: OrientedVolume(
          shape: scan[index].shape, spacing: scan[index].spacing, isOriented: false,
          values: scan[index].values[...]),
        prepared: OrientedVolume(
          shape: shape, spacing: geometry.spacing,
          directions: order.map { OrientedVolume.assumedDirections[$0] }, isOriented: false,
          values: image.values[index * count..<(index + 1) * count]),
        isCT: channel.normalizationScheme == "CTNormalization")
    }
    return ScanPreview(
      title: title, channels: channels, cropBox: cropBox, transposeForward: order,
      windows: framing.windows, area: framing.area
    ).picture()
  }
}
