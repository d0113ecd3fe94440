// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY

/// Reads an array.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  _ = try? NPYArray(bytes: Bytes(Array(UnsafeBufferPointer(start: data, count: count))))
  return 0
}
