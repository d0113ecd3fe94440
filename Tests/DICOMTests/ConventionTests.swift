// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import DICOM

/// Which way axes are turned.
struct ConventionTests {
  @Test(arguments: ["LPS", "RAS", "PIR", "SAL"])
  func axisCodes(_ code: String) { #expect(AxisCode(code) != nil) }

  @Test(arguments: ["", "LP", "LPSX", "LRS", "lps", "LPX", "LLL"])
  func noAxisCodes(_ code: String) { #expect(AxisCode(code) == nil) }

  @Test func names() {
    #expect(DICOMConvention(name: "as-scanned") == .asScanned)
    #expect(DICOMConvention(name: "dcm2niix") == .dcm2niix)
    #expect(DICOMConvention(name: "dicom2nifti") == .nearest(.las))
    #expect(DICOMConvention(name: "simpleitk") == nil)
    #expect(DICOMConvention.names.allSatisfy { DICOMConvention(name: $0) != nil })
  }

  @Test("The layout puts every voxel of the stack where the turn says")
  func layout() {
    let turn = AxisTurn(axes: [2, 0, 1], isFlipped: [true, false, true])
    let (start, strides) = turn.layout(of: [2, 3, 4])
    // x is k backwards (4), y is i (2), z is j backwards (3).
    #expect(strides == [4, -8, -1])
    #expect(start == 3 + 2 * 8)
  }
}
