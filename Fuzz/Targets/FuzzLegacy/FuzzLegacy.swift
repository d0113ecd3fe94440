// SPDX-License-Identifier: Apache-2.0
import FileIO
import PickleReader

/// The three pickles every legacy file starts with: magic number, version, properties.
private let start: [UInt8] =
  [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
  + [0x80, 2, 0x4D, 0xE9, 3, 0x2E, 0x80, 2, 0x7D, 0x58, 13, 0, 0, 0]
  + Array("little_endian".utf8) + [0x88, 0x73, 0x2E]

/// Reads what follows in a legacy file: the object, the list of storages, and these.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Bytes(start + UnsafeBufferPointer(start: data, count: count))
  guard let file = try? TorchFile(bytes) else { return 0 }
  for entry in file.root.entries {
    guard let tensor = entry.value.tensor, tensor.elementCount < 1 << 20 else { continue }
    _ = try? tensor.values()
  }
  return 0
}
