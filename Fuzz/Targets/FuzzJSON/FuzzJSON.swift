// SPDX-License-Identifier: Apache-2.0
import FileIO
import SWTFormat

/// Parses a text; what it gives must survive being written and read again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Bytes(Array(UnsafeBufferPointer(start: data, count: count)))
  _ = try? JSONParser.parse(bytes, allowingPythonNonFinite: true)
  guard let value = try? JSONParser.parse(bytes) else { return 0 }
  let again = try? JSONParser.parse(Bytes(Array(value.prettyText.utf8)))
  precondition(again == value, "a value changes when it is written and read")
  _ = try? ModelDescription(json: value)
  return 0
}
