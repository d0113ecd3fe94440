// SPDX-License-Identifier: Apache-2.0
import FileIO
import TestSupport
import Testing

@testable import Preprocessing

/// Orientation of scans, turning them, and the way back.
@Suite struct ScanGeometryTests {
  @Test(arguments: ["RAS", "LPS", "SLP", "IAR", "PIR"])
  func orientationIsThreeLetters(_ text: String) throws {
    #expect(try #require(ScanOrientation(text)).description == text)
    #expect(try #require(ScanOrientation(text.lowercased())).description == text)
  }

  @Test(arguments: ["", "RA", "RAR", "RLS", "XYZ", "RASS"])
  func otherTextIsNone(_ text: String) { #expect(ScanOrientation(text) == nil) }

  @Test(arguments: ["RAS", "LPS", "SLP", "IAR"], ["LPS", "AIL", "RAS"])
  func turningThereAndBackChangesNothing(_ from: String, _ to: String) throws {
    let (from, to) = (try #require(ScanOrientation(from)), try #require(ScanOrientation(to)))
    let turning = from.turning(to: to)
    let sizes = [2, 3, 4]
    let values = (0..<24).map(Float.init)
    let turned = turning.turned(values, sizes: sizes)
    #expect(from == to || turned != values)
    #expect(turning.inverse.turned(turned, sizes: turning.sources.map { sizes[$0] }) == values)
    let affine = Affine(
      matrix: Matrix3(
        (0..<3).map { row in
          (0..<3).map { column in
            from.directions[column] == row ? from.isNegative[column] ? -1.5 : 1.5 : 0
          }
        }), offset: [1, 2, 3])
    #expect(ScanOrientation(affine: affine.matrix) == from)
    #expect(ScanOrientation(affine: turning.turned(affine, sizes: sizes).matrix) == to)
  }

  private var example: String { "\(Fixtures.repository)/Examples/brain-mri/scans/brain_t1.nii.gz" }

  @Test func aScanIsTurnedWhereThatIsAskedFor() throws {
    let plain = try NIfTIImage(contentsOf: example)
    let turned = try NIfTIImage(contentsOf: example, turningTo: .ras)
    #expect(plain.geometry.orientation != .ras && plain.geometry.turning.isNone)
    #expect(turned.geometry.affine == plain.geometry.affine)
    #expect(ScanOrientation(affine: turned.geometry.arrayAffine.matrix) == .ras)
    #expect(
      turned.warnings == [
        .turned(path: example, from: "\(try #require(plain.geometry.orientation))", to: "RAS")
      ])
    #expect(
      plain.geometry.turning.isNone
        && turned.volumes[0].values
          == turned.geometry.turning.turned(
            plain.volumes[0].values, sizes: plain.geometry.sizes)
    )
  }

  /// Several blocks of one gzip member, and back in the file's own axes.
  @Test(arguments: [1, 3]) func aCompressedMapReadsBack(threads: Int) throws {
    let image = try NIfTIImage(contentsOf: example, turningTo: .ras)
    let folder = try TemporaryFolder()
    let path = folder.file("map.nii.gz")
    try NIfTIWriter(geometry: image.geometry, threads: threads)
      .write(map: image.volumes[0].values, to: path)
    #expect(try MappedFile(path: path).bytes.hasBytes([0x1F, 0x8B]))
    let again = try NIfTIImage(contentsOf: path)
    let plain = try NIfTIImage(contentsOf: example)
    #expect(again.volumes[0].values == plain.volumes[0].values)
    #expect(again.geometry.affine == plain.geometry.affine)
    #expect(again.warnings.isEmpty)
  }

  @Test func labelsTakeTwoBytesFrom255On() throws {
    let image = try NIfTIImage(contentsOf: example)
    let folder = try TemporaryFolder()
    let writer = try NIfTIWriter(geometry: image.geometry)
    var labels = [UInt16](repeating: 0, count: image.volumes[0].values.count)
    for (last, width) in [(UInt16(254), 1), (255, 2), (300, 2)] {
      labels[labels.count - 1] = last
      try writer.write(labels: labels, to: folder.file("seg.nii"))
      #expect(
        try MappedFile(path: folder.file("seg.nii")).bytes.count == 352 + width * labels.count)
      let again = try NIfTIImage(contentsOf: folder.file("seg.nii"))
      #expect(again.volumes[0].values.last == Float(last))
    }
  }
}
