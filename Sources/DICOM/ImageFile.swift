// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// What one file of a folder turned out to be.
enum FileContent: Sendable {
  case notDICOM
  /// DICOM without pixels: a directory, a report, a presentation state.
  case noImage
  case image([Slice])
  /// An image that is not read; its series, as far as it is known, may be set aside.
  case refused(RefusedImage)
}

/// An image that is not read.
struct RefusedImage: Sendable {
  let series: SeriesHeader
  let file: Int
  let instance: String?
  let isLocalizer: Bool
  let error: DICOMError
}

/// Reads a file's header into slices.
struct ImageFile {
  /// CT, MR, PET and their enhanced kin: without pixels they are damaged.
  private static let imageClasses: Set<String> = Set(
    ["2", "2.1", "4", "4.1", "128", "130"].map { "1.2.840.10008.5.1.4.1.1.\($0)" })

  private let index: Int
  private let file: DICOMFile
  private var dataSet: DataSet { file.dataSet }

  /// The content of the file with number `index`.
  ///
  /// - Throws: what makes the whole folder doubtful, as this may be a slice of anything.
  static func content(of bytes: Bytes, index: Int) throws(DICOMError) -> FileContent {
    guard let file = try DICOMFile(bytes) else { return .notDICOM }
    let image = ImageFile(index: index, file: file)
    guard !file.isDirectory else { return .noImage }
    let hasFloats = file.dataSet.has(.floatPixels) || file.dataSet.has(.doublePixels)
    guard file.pixels != nil || hasFloats else {
      guard imageClasses.contains(file.dataSet.text(.sopClassUID) ?? "") else { return .noImage }
      throw DICOMError(.bytes, "is an image without pixels")
    }
    let series = try SeriesHeader(file.dataSet)
    do throws(DICOMError) { return .image(try image.slices(of: series)) } catch {
      return .refused(
        RefusedImage(
          series: series, file: index, instance: (try? file.dataSet.uid(.sopInstanceUID)) ?? nil,
          isLocalizer: image.isLocalizer, error: error))
    }
  }

  private var imageTypes: [String] { dataSet.codes(.imageType) }
  private var isLocalizer: Bool { imageTypes.contains("LOCALIZER") }

  private func slices(of series: SeriesHeader) throws(DICOMError) -> [Slice] {
    guard let location = file.pixels else {
      throw DICOMError(.float, "has floating-point pixels")
    }
    let samples = dataSet.binary(.samplesPerPixel, as: UInt16.self)
    let photometric = dataSet.codes(.photometricInterpretation).first
    guard samples != 1 || photometric != "MONOCHROME1" else {
      throw DICOMError(.photometric, "is MONOCHROME1, which converters read in different ways")
    }
    guard samples == 1, photometric == "MONOCHROME2" else {
      throw DICOMError(
        .colour,
        "is no grey image but \(photometric.map(DisplayText.quoted) ?? "of no kind that is said")")
    }
    guard !imageTypes.contains("MOSAIC") else {
      throw DICOMError(.mosaic, "holds its slices as tiles of one image (MOSAIC)")
    }
    let format = try PixelFormat(dataSet)
    let syntax = try file.syntax.get()
    let count = try dataSet.integer(.numberOfFrames) ?? 1
    guard (1...DICOMLimits.frames).contains(count) else {
      throw DICOMError(.limit, "has \(count) frames")
    }
    guard format.pixelCount <= DICOMLimits.voxels / count else {
      throw DICOMError(.limit, "has \(format.pixelCount) pixels in each of \(count) frames")
    }
    guard !dataSet.has(.modalityTable) else {
      throw DICOMError(
        .rescale, "has a table of values \(DICOMTag.modalityTable), which is not read")
    }
    let pixels = try FramePixels.frames(
      count, of: format, at: location, syntax: syntax, in: file.bytes)
    let groups = try FunctionalGroups(dataSet, frameCount: count)
    var result: [Slice] = []
    for frame in 0..<count {
      result.append(try slice(frame, of: series, groups, pixels[frame]))
    }
    return result
  }

  private func slice(
    _ frame: Int, of series: SeriesHeader, _ groups: FunctionalGroups, _ pixels: FramePixels
  ) throws(DICOMError) -> Slice {
    let measures = groups.group(.pixelMeasuresGroup, frame: frame)
    let transformation = groups.group(.pixelTransformationGroup, frame: frame)
    let slope = try transformation.decimal(.rescaleSlope) ?? 1
    guard slope != 0 else { throw DICOMError(.rescale, "has RescaleSlope 0") }
    let position = try groups.group(.planePositionGroup, frame: frame)
      .decimals(.imagePosition, count: 3)
    guard position?.allSatisfy({ abs($0) < DICOMLimits.position }) ?? true else {
      throw DICOMError(.geometry, "lies \(DICOMLimits.position) mm or more from the origin")
    }
    return Slice(
      series: series, file: index, frame: frame, instance: try dataSet.uid(.sopInstanceUID),
      instanceNumber: try? dataSet.integer(.instanceNumber), position: position,
      orientation: try groups.group(.planeOrientationGroup, frame: frame)
        .decimals(.imageOrientation, count: 6),
      pixelSpacing: try measures.decimals(.pixelSpacing, count: 2),
      thickness: try measures.decimals(.sliceThickness)?.first, slope: slope,
      intercept: try transformation.decimal(.rescaleIntercept) ?? 0,
      frameOfReference: dataSet.text(.frameOfReferenceUID), isLocalizer: isLocalizer,
      isThreeDimensional: dataSet.codes(.acquisitionType).first == "3D",
      hasBurnedInText: dataSet.codes(.burnedInAnnotation).first == "YES",
      splittingValues: splittingValues(groups, frame: frame), pixels: pixels)
  }

  private func splittingValues(_ groups: FunctionalGroups, frame: Int) -> [SplittingKey: String] {
    func binary(_ tag: DICOMTag, in group: DICOMTag) -> String? {
      (groups.group(group, frame: frame).binary(tag, as: UInt64.self)
        ?? dataSet.binary(tag, as: UInt64.self)).map { "\(Double(bitPattern: $0))" }
    }
    let index = groups.group(.frameContentGroup, frame: frame)
      .binary(.temporalPositionIndex, as: UInt32.self)
    var result: [SplittingKey: String] = [:]
    result[.temporalPosition] = number(.temporalPosition) ?? index.map { "\($0)" }
    result[.echoTime] = number(.echoTime) ?? binary(.effectiveEchoTime, in: .echoGroup)
    result[.diffusionBValue] = binary(.diffusionBValue, in: .diffusionGroup)
    result[.acquisitionNumber] = number(.acquisitionNumber)
    result[.triggerTime] = number(.triggerTime)
    return result
  }

  /// A number as text; anything else does not split a series.
  private func number(_ tag: DICOMTag) -> String? {
    guard let values = try? dataSet.decimals(tag), !values.isEmpty else { return nil }
    return values.map { "\($0)" }.joined(separator: "\\")
  }
}
