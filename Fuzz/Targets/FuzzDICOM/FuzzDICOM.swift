// SPDX-License-Identifier: Apache-2.0
@testable import DICOM
import FileIO

/// Parses a file and decodes every frame that it says it has.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Bytes(Array(UnsafeBufferPointer(start: data, count: count)))
  guard case .image(let slices)? = try? ImageFile.content(of: bytes, index: 0),
    let file = try? DICOMFile(bytes)
  else { return 0 }
  for slice in slices.prefix(16) {
    guard let stored = try? slice.pixels.stored(in: file.bytes) else { continue }
    precondition(stored.bytes.count >= slice.format.pixelCount * stored.byteCount)
  }
  return 0
}
