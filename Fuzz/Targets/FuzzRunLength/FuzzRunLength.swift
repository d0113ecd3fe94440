// SPDX-License-Identifier: Apache-2.0
@testable import DICOM
import FileIO

/// Unpacks an RLE frame of a size that the first bytes choose.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard count > 3 else { return 0 }
  let byteCount = [1, 2, 4][Int(data[0]) % 3]
  let pixelCount = Int(data[1]) << 8 | Int(data[2])
  let bytes = Bytes(Array(UnsafeBufferPointer(start: data + 3, count: count - 3)))
  if let pixels = try? RunLengthFrame(bytes).unpacked(pixelCount: pixelCount, byteCount: byteCount) {
    precondition(pixels.count == pixelCount * byteCount)
  }
  return 0
}
