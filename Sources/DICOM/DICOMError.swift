// SPDX-License-Identifier: Apache-2.0
public import FileIO

/// Why a folder of DICOM files gives no volume.
///
/// Never holds text from a file other than UIDs, numbers and code strings.
public struct DICOMError: Failure, Equatable {
  /// What is wrong, in words that a program can tell apart.
  package enum Reason: String, Sendable {
    /// The operating system refused to open the folder or a file.
    case file
    /// There is no image.
    case empty
    /// A file begins as DICOM but cannot be parsed.
    case bytes
    /// A limit is exceeded.
    case limit
    /// The pixels are compressed in a way that is not read.
    case syntax
    /// A value is not what its element may hold.
    case value
    /// The images are in colour.
    case colour
    /// The images are stored inverted.
    case photometric
    /// The pixels are floating-point numbers.
    case float
    /// The bits of a pixel lie in a way that is not read.
    case bits
    /// The slices of a volume differ in rows or columns.
    case size
    /// Slices are tiles of one image.
    case mosaic
    /// Positions, orientation or spacing are missing or contradictory.
    case geometry
    /// Slices are oriented differently, or not by right angles.
    case orientation
    /// Images lie at one place, and nothing tells them apart.
    case position
    /// The distance between slices changes.
    case spacing
    /// Slices are shifted against each other.
    case tilt
    /// Numbers cannot be made from the pixels.
    case rescale
    /// There are several volumes, or none of the name asked for.
    case choice
    /// Nothing tells in which order training saw voxels.
    case convention
  }

  package let reason: Reason
  /// One line without the place.
  package let problem: String
  /// The file or series it was found in.
  package private(set) var place: DICOMPlace?

  private let ownAdvice: Advice?

  init(_ reason: Reason, _ problem: String, advice: Advice? = nil) {
    self.reason = reason
    self.problem = problem
    ownAdvice = advice
  }

  /// The same with its place, unless that is known.
  func at(_ place: DICOMPlace) -> DICOMError {
    var error = self
    if error.place == nil { error.place = place }
    return error
  }
}

extension DICOMError {
  package var kind: FailureKind { reason == .file ? .cannotOpen : .badInput }

  package var report: FailureReport {
    let report = FailureReport(problem, advice: ownAdvice ?? usualAdvice)
    return place.map { report.about($0.name) } ?? report
  }

  /// The path below the folder that was given.
  package var confidentialPlace: String? { place?.path }

  /// One line: what is wrong, where, and what to do.
  public var description: String { message() }

  /// What kind of failure it is: the number that libswt's `swt_status` has for it.
  public var status: Int32 { kind.codes.status }

  private var usualAdvice: Advice? {
    switch reason {
    case .bytes, .limit, .value: "export the series from its archive again"
    case .float: "convert the series to .nii.gz (SimpleITK)"
    case .colour, .photometric, .mosaic: "convert the series to .nii.gz as for training"
    case .bits: "rewrite the series with gdcmconv, or convert it to .nii.gz"
    case .size, .orientation: "export each stack of slices as a series of its own"
    case .geometry: "convert the series to .nii.gz with a tool that knows the scanner"
    case .position: "export one volume per series"
    case .spacing: "export all slices again, or resample the series if it is meant to be uneven"
    case .tilt: "resample the series to a straight grid first"
    case .rescale: "export the series again, or convert it to .nii.gz"
    case .file, .empty, .syntax, .choice, .convention: nil
    }
  }
}
