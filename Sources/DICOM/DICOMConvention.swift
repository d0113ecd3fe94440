// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// The order in which a converter gave voxels to training; nnU-Net itself ignores direction.
public struct DICOMConvention: Sendable, Equatable {
  private enum Order: Equatable {
    case asScanned
    case dcm2niix
    case nearest(AxisCode)
  }

  private let order: Order

  /// Rows, columns and slices as they are: SimpleITK, ITK, MONAI's ITK reader.
  package static let asScanned = DICOMConvention(order: .asScanned)
  /// dcm2niix: mirrored along columns; MR acquired in 3-D turned to RAS.
  package static let dcm2niix = DICOMConvention(order: .dcm2niix)
  /// The nearest order by permuting and mirroring axes: dicom2nifti gives the nearest LAS, readers
  /// that reorient the nearest RAS.
  package static func nearest(_ code: AxisCode) -> DICOMConvention {
    DICOMConvention(order: .nearest(code))
  }

  private init(order: Order) { self.order = order }

  /// A convention's name on the command line: `as-scanned`, `dcm2niix` or `dicom2nifti`.
  public init?(name: String) {
    switch name {
    case "as-scanned": self = .asScanned
    case "dcm2niix": self = .dcm2niix
    case "dicom2nifti": self = .nearest(.las)
    default: return nil
    }
  }

  /// What `init(name:)` knows it by; readers that reorient have none.
  package var name: String? {
    Self.names.first { DICOMConvention(name: $0) == self }
  }

  /// The names that `init(name:)` knows.
  package static let names = ["as-scanned", "dcm2niix", "dicom2nifti"]

  /// The order in which a model's training saw voxels.
  ///
  /// - Parameters:
  ///   - chosen: what the user says, which goes before what the model says.
  ///   - reorients: whether training's reader turned every scan to RAS.
  ///   - orientation: where the axes of all training scans pointed, such as `LPS`.
  ///   - name: of the convention of the tool that converted them.
  /// - Throws: `DICOMError` where nothing of that is known: a mirrored array would be no error to anyone.
  package init(
    chosen: DICOMConvention?, reorients: Bool, orientation: String?, name: String?
  ) throws(DICOMError) {
    let trained =
      orientation.flatMap { AxisCode($0) }.map { DICOMConvention.nearest($0) }
      ?? name.flatMap { DICOMConvention(name: $0) }
    if reorients {
      self = .nearest(.ras)
    } else if let known = chosen ?? trained {
      self = known
    } else {
      let names = Self.names.joined(separator: ", ")
      throw DICOMError(
        .convention,
        "the model does not say how its training scans were made from DICOM: nnU-Net ignores direction",
        advice:
          "tell it with \(.dicomConvention): \(names), or convert the model with it (nnconvert convert)"
      )
    }
  }

  /// How a stack is turned.
  ///
  /// - Parameter isThreeDimensional: whether dcm2niix takes the stack as one 3-D acquisition.
  func turn(of geometry: StackGeometry, isThreeDimensional: Bool) -> AxisTurn {
    switch order {
    case .asScanned: .identity
    case .dcm2niix where isThreeDimensional: AxisTurn(nearest: .ras, to: geometry.directions)
    case .dcm2niix: AxisTurn(axes: [0, 1, 2], isFlipped: [false, true, false])
    case .nearest(let code): AxisTurn(nearest: code, to: geometry.directions)
    }
  }
}

/// The way that three axes point: a letter for each of x, y and z, such as `LPS`.
package struct AxisCode: Sendable, Equatable {
  /// For x, y and z: the direction (0 left–right, 1 anterior–posterior, 2 superior–inferior).
  let directions: [Int]
  /// For x, y and z: whether it points to right, anterior or inferior, against DICOM's own.
  let isOpposite: [Bool]

  static let ras = AxisCode(directions: [0, 1, 2], isOpposite: [true, true, false])
  static let las = AxisCode(directions: [0, 1, 2], isOpposite: [false, true, false])

  private init(directions: [Int], isOpposite: [Bool]) {
    self.directions = directions
    self.isOpposite = isOpposite
  }

  /// Three letters of L, R, P, A, S and I, one for every direction.
  package init?(_ text: String) {
    let letters: [(direction: Int, isOpposite: Bool)] = text.compactMap { letter in
      switch letter {
      case "L": (0, false)
      case "R": (0, true)
      case "P": (1, false)
      case "A": (1, true)
      case "S": (2, false)
      case "I": (2, true)
      default: nil
      }
    }
    guard letters.count == 3, text.count == 3, Set(letters.map(\.direction)).count == 3 else {
      return nil
    }
    directions = letters.map(\.direction)
    isOpposite = letters.map(\.isOpposite)
  }
}
