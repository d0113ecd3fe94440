// SPDX-License-Identifier: Apache-2.0
@testable import DICOM
import FileIO

/// Decodes a JPEG image of a size that the first bytes choose.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard count > 2 else { return 0 }
  let (rows, columns) = (Int(data[0]) + 1, Int(data[1]) + 1)
  let bytes = Bytes(Array(UnsafeBufferPointer(start: data + 2, count: count - 2)))
  guard
    var image = try? JPEGLosslessImage(bytes, rows: rows, columns: columns, largestPrecision: 16),
    let pixels = try? image.decoded()
  else { return 0 }
  precondition(pixels.count == rows * columns * 2)
  return 0
}
