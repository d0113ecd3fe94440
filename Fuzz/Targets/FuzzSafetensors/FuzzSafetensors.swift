// SPDX-License-Identifier: Apache-2.0
import FileIO
import PickleReader

@testable import Converter

/// Reads a safetensors file.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Bytes(Array(UnsafeBufferPointer(start: data, count: count)))
  guard let file = try? SafetensorsFile(bytes) else { return 0 }
  for tensor in file.tensors { _ = try? tensor.tensor.values() }
  return 0
}
