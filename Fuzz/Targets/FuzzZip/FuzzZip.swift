// SPDX-License-Identifier: Apache-2.0
import FileIO
import PickleReader

/// Opens an archive and inflates its entries.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Bytes(Array(UnsafeBufferPointer(start: data, count: count)))
  guard let archive = try? ZipArchive(bytes) else { return 0 }
  for entry in archive.entries { _ = try? archive.content(of: entry, limit: 1 << 20) }
  return 0
}
