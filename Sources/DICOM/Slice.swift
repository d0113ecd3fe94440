// SPDX-License-Identifier: Apache-2.0
/// One image of a stack, or one frame of an image: all that its header tells, and where its pixels lie.
struct Slice: Sendable {
  let series: SeriesHeader
  /// The file it is in, as counted by `FolderFiles`.
  let file: Int
  let frame: Int
  let instance: String?
  let instanceNumber: Int?
  /// The middle of the first pixel in mm: left, posterior, superior.
  let position: [Double]?
  /// The directions of rows, then of columns.
  let orientation: [Double]?
  /// The distance between rows, then between columns, in mm.
  let pixelSpacing: [Double]?
  let thickness: Double?
  let slope: Double
  let intercept: Double
  let frameOfReference: String?
  let isLocalizer: Bool
  /// `MRAcquisitionType` says 3D.
  let isThreeDimensional: Bool
  /// The annotation is said to be burned into the pixels.
  let hasBurnedInText: Bool
  let splittingValues: [SplittingKey: String]
  let pixels: FramePixels

  var format: PixelFormat { pixels.format }

  /// A larger number than any value.
  var largestValue: Double {
    Double(1 << format.bitsStored) * abs(slope) + abs(intercept)
  }

  /// Whether all that the headers say of the two images is the same.
  func describesSameImage(as other: Slice) -> Bool {
    position == other.position && orientation == other.orientation
      && pixelSpacing == other.pixelSpacing && slope == other.slope
      && intercept == other.intercept && frame == other.frame
      && (format.rows, format.columns) == (other.format.rows, other.format.columns)
      && (format.bitsStored, format.isSigned) == (other.format.bitsStored, other.format.isSigned)
  }
}

/// What tells series apart.
struct SeriesHeader: Sendable, Equatable {
  let uid: String
  let modality: String?
  let number: Int?

  init(_ dataSet: DataSet) throws(DICOMError) {
    guard let uid = try dataSet.uid(.seriesInstanceUID) else {
      throw DICOMError(.value, "has no SeriesInstanceUID \(DICOMTag.seriesInstanceUID)")
    }
    self.uid = uid
    modality = dataSet.codes(.modality).first
    number = try? dataSet.integer(.seriesNumber)
  }
}

/// Values that tell the volumes of one series apart, in the order in which they are tried.
enum SplittingKey: CaseIterable, Sendable {
  case temporalPosition
  case echoTime
  case diffusionBValue
  case acquisitionNumber
  case triggerTime

  /// In a list of volumes.
  var name: String {
    switch self {
    case .temporalPosition: "temporal position"
    case .echoTime: "echo time"
    case .diffusionBValue: "b value"
    case .acquisitionNumber: "acquisition"
    case .triggerTime: "trigger time"
    }
  }
}
