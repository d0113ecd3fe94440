// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import SWTFormat
import TestSupport
import Testing

@testable import Preprocessing

/// From the example's scans to the arrays that nnU-Net's `DefaultPreprocessor` made of them.
@Suite struct NIfTITests {
  private static let example = "\(Fixtures.repository)/Examples/brain-mri"

  @Test(arguments: ["brain_t1", "brain_inverted"])
  func scanAgreesWithNNUNet(_ name: String) throws {
    let model =
      "nnUNet_results/Dataset501_BrainTissue/"
      + "nnUNetTrainerQuick__nnUNetSmallPlans__3d_fullres"
    let plans = try JSONParser.parse(
      MappedFile(path: "\(Self.example)/\(model)/plans.json").bytes, allowingPythonNonFinite: true)
    let description = PreprocessingCase.description(
      ["plans": plans, "configuration": "3d_fullres"])
    let image = try NIfTIImage(contentsOf: "\(Self.example)/scans/\(name).nii.gz")
    let result = try Preprocessor(description: description, threads: 2)
      .prepare(channels: image.volumes)
    let expected = try NPYArray(
      contentsOf: "\(Self.example)/expected/\(name).preprocessed.npy")
    #expect(result.shape == expected.shape)
    #expect(Difference(result.values, expected.values).absolute < 1e-5)
  }

  /// A little-endian NIfTI-1 file of 2×2×2 int16 voxels 0…7.
  private static let small: [UInt8] = {
    var bytes = [UInt8](repeating: 0, count: 352)
    func put(_ value: some FixedWidthInteger, _ offset: Int) {
      withUnsafeBytes(of: value.littleEndian) {
        bytes.replaceSubrange(offset..<offset + $0.count, with: $0)
      }
    }
    put(Int32(348), 0)
    for (index, size) in [3, 2, 2, 2].enumerated() { put(Int16(size), 40 + 2 * index) }
    put(Int16(4), 70)
    put(Int16(16), 72)
    for (index, size) in [1.5, 2.5, 3.5].enumerated() {
      put(Float(size).bitPattern, 80 + 4 * index)
    }
    put(Float(352).bitPattern, 108)
    put(Float(2).bitPattern, 112)
    put(Float(-1).bitPattern, 116)
    bytes.replaceSubrange(344..<348, with: Array("n+1\0".utf8))
    for value in 0..<8 { bytes += [UInt8(value), 0] }
    return bytes
  }()

  @Test func appliesSlopeAndReversesAxes() throws {
    let image = try NIfTIImage(bytes: Bytes(Self.small), path: "small.nii")
    let volume = try #require(image.volumes.first)
    #expect(volume.spacing == [3.5, 2.5, 1.5])
    #expect(volume.values == [-1, 1, 3, 5, 7, 9, 11, 13])
  }

  @Test func refusesEveryTruncation() {
    for count in 0..<Self.small.count {
      #expect(throws: PreprocessingError.self, "\(count) bytes") {
        try NIfTIImage(bytes: Bytes(Array(Self.small[..<count])), path: "cut.nii")
      }
    }
  }

  @Test(arguments: [40, 42, 70], [UInt8(0x7F), 0xFF])
  func refusesAbsurdFields(_ offset: Int, _ byte: UInt8) {
    var bytes = Self.small
    bytes[offset] = byte
    bytes[offset + 1] = byte
    #expect(throws: PreprocessingError.self) {
      try NIfTIImage(bytes: Bytes(bytes), path: "absurd.nii")
    }
  }
}
