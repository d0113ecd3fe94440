// SPDX-License-Identifier: Apache-2.0
import FileIO
import PickleReader

/// Runs one pickle and walks over what it built.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Bytes(Array(UnsafeBufferPointer(start: data, count: count)))
  for tolerates in [false, true] {
    guard
      let document = try? TorchFile.plainPickle(bytes, toleratingUnknownObjects: tolerates)
    else { continue }
    // Shared and cyclic values make the tree endless: the walk has a budget, as every walk must.
    var pending = [document.root]
    var budget = 1_000
    while let value = pending.popLast(), budget > 0 {
      budget -= 1
      if let tensor = value.tensor { _ = try? tensor.rowMajorBytes() }
      if case .array(let array) = value.kind { _ = array.numbers }
      _ = value["weight"]
      pending += value.elements.prefix(100)
      for entry in value.entries.prefix(100) { pending += [entry.key, entry.value] }
    }
  }
  return 0
}
