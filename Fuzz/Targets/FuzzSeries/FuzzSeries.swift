// SPDX-License-Identifier: Apache-2.0
@testable import DICOM
import FileIO

/// Builds volumes from files of which each follows two bytes with its length.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Bytes(Array(UnsafeBufferPointer(start: data, count: count)))
  var files: [Bytes] = []
  var position = 0
  while files.count < 16, let length: UInt16 = bytes.littleEndian(at: position),
    let file = bytes.slice(at: position + 2, count: Int(length))
  {
    files.append(file)
    position += 2 + Int(length)
  }
  // Images of one name would be compared in their files: there are none.
  var images = StudyImages(FolderFiles(folder: StudyFolder("/nowhere"), paths: files.indices.map { "\($0)" }))
  for (index, file) in files.enumerated() {
    guard let content = try? ImageFile.content(of: file, index: index) else { return 0 }
    guard (try? images.add(content, file: index)) != nil else { return 0 }
  }
  for series in images.withoutScreenshots() where series.errors.isEmpty {
    for part in (try? SeriesSplit.parts(of: series.slices)) ?? [] {
      guard let (slices, geometry) = try? StackGeometry.ordering(part.slices) else { continue }
      precondition(slices.count == part.slices.count)
      precondition(geometry.spacing.allSatisfy(DICOMLimits.spacing.contains))
      _ = StackWarnings(slices, name: "1", isWholeSeries: part.split == nil)
    }
  }
  return 0
}
