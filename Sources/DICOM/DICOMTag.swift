// SPDX-License-Identifier: Apache-2.0
/// A tag: group and element.
struct DICOMTag: RawRepresentable, Hashable, Comparable, Sendable {
  let rawValue: UInt32

  var group: UInt32 { rawValue >> 16 }

  static func < (first: DICOMTag, second: DICOMTag) -> Bool { first.rawValue < second.rawValue }
}

extension DICOMTag: CustomStringConvertible {
  var description: String {
    func digits(_ part: UInt32) -> String {
      let text = String(part, radix: 16, uppercase: true)
      return String(repeating: "0", count: 4 - text.count) + text
    }
    return "(\(digits(group)),\(digits(rawValue & 0xFFFF)))"
  }
}

extension DICOMTag {
  static let transferSyntaxUID = DICOMTag(rawValue: 0x0002_0010)
  static let imageType = DICOMTag(rawValue: 0x0008_0008)
  static let sopClassUID = DICOMTag(rawValue: 0x0008_0016)
  static let sopInstanceUID = DICOMTag(rawValue: 0x0008_0018)
  static let modality = DICOMTag(rawValue: 0x0008_0060)
  static let acquisitionType = DICOMTag(rawValue: 0x0018_0023)
  static let sliceThickness = DICOMTag(rawValue: 0x0018_0050)
  static let echoTime = DICOMTag(rawValue: 0x0018_0081)
  static let triggerTime = DICOMTag(rawValue: 0x0018_1060)
  static let effectiveEchoTime = DICOMTag(rawValue: 0x0018_9082)
  static let diffusionBValue = DICOMTag(rawValue: 0x0018_9087)
  static let studyInstanceUID = DICOMTag(rawValue: 0x0020_000D)
  static let seriesInstanceUID = DICOMTag(rawValue: 0x0020_000E)
  static let seriesNumber = DICOMTag(rawValue: 0x0020_0011)
  static let acquisitionNumber = DICOMTag(rawValue: 0x0020_0012)
  static let instanceNumber = DICOMTag(rawValue: 0x0020_0013)
  static let imagePosition = DICOMTag(rawValue: 0x0020_0032)
  static let imageOrientation = DICOMTag(rawValue: 0x0020_0037)
  static let frameOfReferenceUID = DICOMTag(rawValue: 0x0020_0052)
  static let temporalPosition = DICOMTag(rawValue: 0x0020_0100)
  static let temporalPositionIndex = DICOMTag(rawValue: 0x0020_9128)
  static let samplesPerPixel = DICOMTag(rawValue: 0x0028_0002)
  static let photometricInterpretation = DICOMTag(rawValue: 0x0028_0004)
  static let numberOfFrames = DICOMTag(rawValue: 0x0028_0008)
  static let rows = DICOMTag(rawValue: 0x0028_0010)
  static let columns = DICOMTag(rawValue: 0x0028_0011)
  static let pixelSpacing = DICOMTag(rawValue: 0x0028_0030)
  static let bitsAllocated = DICOMTag(rawValue: 0x0028_0100)
  static let bitsStored = DICOMTag(rawValue: 0x0028_0101)
  static let highBit = DICOMTag(rawValue: 0x0028_0102)
  static let pixelRepresentation = DICOMTag(rawValue: 0x0028_0103)
  static let burnedInAnnotation = DICOMTag(rawValue: 0x0028_0301)
  static let rescaleIntercept = DICOMTag(rawValue: 0x0028_1052)
  static let rescaleSlope = DICOMTag(rawValue: 0x0028_1053)
  static let modalityTable = DICOMTag(rawValue: 0x0028_3000)
  static let floatPixels = DICOMTag(rawValue: 0x7FE0_0008)
  static let doublePixels = DICOMTag(rawValue: 0x7FE0_0009)
  static let pixels = DICOMTag(rawValue: 0x7FE0_0010)

  static let echoGroup = DICOMTag(rawValue: 0x0018_9114)
  static let diffusionGroup = DICOMTag(rawValue: 0x0018_9117)
  static let frameContentGroup = DICOMTag(rawValue: 0x0020_9111)
  static let planePositionGroup = DICOMTag(rawValue: 0x0020_9113)
  static let planeOrientationGroup = DICOMTag(rawValue: 0x0020_9116)
  static let pixelMeasuresGroup = DICOMTag(rawValue: 0x0028_9110)
  static let pixelTransformationGroup = DICOMTag(rawValue: 0x0028_9145)
  static let sharedGroups = DICOMTag(rawValue: 0x5200_9229)
  static let perFrameGroups = DICOMTag(rawValue: 0x5200_9230)

  static let item = DICOMTag(rawValue: 0xFFFE_E000)
  static let itemEnd = DICOMTag(rawValue: 0xFFFE_E00D)
  static let sequenceEnd = DICOMTag(rawValue: 0xFFFE_E0DD)

  /// The elements whose values are read; no others leave the file, so that nothing about the patient
  /// can.
  static let kept: Set<DICOMTag> = [
    transferSyntaxUID, imageType, sopClassUID, sopInstanceUID, modality, acquisitionType,
    sliceThickness, echoTime, triggerTime, effectiveEchoTime, diffusionBValue, studyInstanceUID,
    seriesInstanceUID,
    seriesNumber, acquisitionNumber, instanceNumber, imagePosition, imageOrientation,
    frameOfReferenceUID, temporalPosition, temporalPositionIndex, samplesPerPixel,
    photometricInterpretation, numberOfFrames, rows, columns, pixelSpacing, bitsAllocated,
    bitsStored, highBit, pixelRepresentation, burnedInAnnotation, rescaleIntercept, rescaleSlope,
  ]

  /// The sequences that are looked into; all others are passed over.
  static let entered: Set<DICOMTag> = [
    echoGroup, diffusionGroup, frameContentGroup, planePositionGroup, planeOrientationGroup,
    pixelMeasuresGroup, pixelTransformationGroup, sharedGroups, perFrameGroups,
  ]

  /// Elements of which only the presence matters.
  static let noticed: Set<DICOMTag> = [modalityTable, floatPixels, doublePixels]
}
