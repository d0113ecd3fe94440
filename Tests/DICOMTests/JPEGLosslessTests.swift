// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import TestSupport
import Testing

@testable import DICOM

/// Streams of libjpeg-turbo decode to the pixels that it encoded.
struct JPEGLosslessTests {
  private static let folder = Fixtures.folder + "/jpeg"

  @Test(arguments: [8, 12, 16], 1...7)
  func decodes(bits: Int, predictor: Int) throws {
    let bytes = try MappedFile(path: "\(Self.folder)/\(bits)_\(predictor).jpg").bytes
    let expected = try NPYArray(contentsOf: "\(Self.folder)/\(bits).npy")
    var image = try JPEGLosslessImage(
      bytes, rows: expected.shape[0], columns: expected.shape[1], largestPrecision: 16)
    let decoded = try image.decoded()
    let values = (0..<expected.values.count).map {
      Float(decoded.littleEndian(UInt16.self, at: 2 * $0) ?? 0)
    }
    #expect(values == expected.values)
  }

  @Test func refusesAnotherSizeAndMoreBitsThanThePixelsHave() throws {
    let bytes = try MappedFile(path: "\(Self.folder)/16_1.jpg").bytes
    #expect(throws: DICOMError.self) {
      try JPEGLosslessImage(bytes, rows: 21, columns: 13, largestPrecision: 16)
    }
    #expect(throws: DICOMError.self) {
      try JPEGLosslessImage(bytes, rows: 13, columns: 21, largestPrecision: 8)
    }
  }

  @Test func everyTruncationIsRefused() throws {
    let bytes = try MappedFile(path: "\(Self.folder)/12_7.jpg").bytes
    // The end marker itself is not needed.
    for count in 0..<bytes.count - 2 {
      let part = try #require(bytes.slice(at: 0, count: count))
      #expect(throws: DICOMError.self, "\(count) bytes") {
        var image = try JPEGLosslessImage(part, rows: 13, columns: 21, largestPrecision: 16)
        _ = try image.decoded()
      }
    }
  }
}
