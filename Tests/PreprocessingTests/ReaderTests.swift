// SPDX-License-Identifier: Apache-2.0
import FileIO
import SWTFormat
import TestSupport
import Testing

@testable import Preprocessing

/// Small files with odd headers against what nnU-Net's readers make of them, and against the header
/// that each writes on such a grid (`scripts/lib/fixtures/make_readers.py`).
@Suite struct ReaderTests {
  private static let cases: [JSONValue] = {
    let path = "\(Fixtures.folder)/preprocessing/readers.json"
    return (try? JSONParser.parse(MappedFile(path: path).bytes))?.array ?? []
  }()

  private static func bytes(hex: String) -> [UInt8] {
    let digits = hex.utf8.map { Int($0) >= 97 ? $0 - 87 : $0 - 48 }
    return stride(from: 0, to: digits.count - 1, by: 2).map { 16 * digits[$0] + digits[$0 + 1] }
  }

  private func file(_ test: JSONValue) throws -> Bytes {
    Bytes(Self.bytes(hex: try #require(test["file"]?.string)))
  }

  @Test func thereAreCases() { #expect(Self.cases.count >= 60) }

  @Test(arguments: Self.cases.indices, ImageReader.allCases)
  func readsWhatNNUNetReads(_ index: Int, _ reader: ImageReader) throws {
    let test = Self.cases[index]
    let name = try #require(test["name"]?.string)
    let expected = try #require(test["readers"]?[reader.rawValue])
    let file = try file(test)
    guard expected["refused"] == nil else {
      #expect(throws: PreprocessingError.self, "\(name)") {
        try NIfTIImage(bytes: file, path: "scan.nii", reader: reader)
      }
      return
    }
    let image = try NIfTIImage(bytes: file, path: "scan.nii", reader: reader)
    let volume = try #require(image.volumes.first)
    #expect([image.volumes.count] + volume.shape == expected["shape"]?.array?.compactMap(\.integer))
    #expect(volume.spacing == expected["spacing"]?.array?.compactMap(\.double), "\(name)")
    let values = expected["bits"]?.array?.compactMap(\.integer).map {
      Float(bitPattern: UInt32(truncatingIfNeeded: $0))
    }
    let read = image.volumes.flatMap(\.values)
    #expect(read.count == values?.count)
    for (value, reference) in zip(read, values ?? []) {
      #expect(value == reference || value.isNaN && reference.isNaN, "\(name)")
    }
  }

  @Test(arguments: Self.cases.indices, ImageReader.allCases)
  func writesWhatNNUNetWrites(_ index: Int, _ reader: ImageReader) throws {
    let test = Self.cases[index]
    guard let hex = test["readers"]?[reader.rawValue]?["written"]?.string else { return }
    let expected = Self.bytes(hex: hex)
    let geometry = try NIfTIImage(bytes: file(test), path: "scan.nii", reader: reader).geometry
    let folder = try TemporaryFolder()
    let count = geometry.shape.reduce(1, *)
    try NIfTIWriter(geometry: geometry, threads: 2)
      .write(labels: (0..<count).map { UInt8($0 % 7) }, to: folder.file("seg.nii"))
    let written = try MappedFile(path: folder.file("seg.nii")).bytes.array
    #expect(written.count == expected.count)
    #expect(written.dropFirst(352) == expected.dropFirst(352), "voxels")
    // Fields but quaternion, offset and affine.
    #expect(written[..<76] == expected[..<76])
    #expect(written[108..<256] == expected[108..<256])
    #expect(written[328..<352] == expected[328..<352])
    func numbers(_ bytes: [UInt8], _ range: Range<Int>) -> [Float] {
      range.map { Float(bitPattern: Bytes(bytes).littleEndian(at: 4 * $0) ?? 0) }
    }
    #expect(numbers(written, 19..<27) == numbers(expected, 19..<27), "pixdim")
    // nibabel computes in long doubles and leaves the sign of half a turn to LAPACK; the quaternion
    // does not count there, since its code is 0.
    let bound: Float = reader.isITK ? 0 : 1e-5
    let quaternions = (numbers(written, 64..<67), numbers(expected, 64..<67))
    #expect(
      isClose(quaternions.0, quaternions.1, bound)
        || !reader.isITK && isClose(quaternions.0, quaternions.1.map { -$0 }, bound))
    #expect(isClose(numbers(written, 67..<82), numbers(expected, 67..<82), bound))
  }

  private func isClose(_ first: [Float], _ second: [Float], _ bound: Float) -> Bool {
    Difference(first, second).absolute <= Double(bound)
  }
}
