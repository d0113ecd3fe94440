// SPDX-License-Identifier: Apache-2.0
import FileIO
import Network

@testable import SWTFormat

/// Reads a model whose JSON header is the input, behind a preamble whose hash fits. The first two
/// bytes say how many blocks of 256 bytes the data has.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard count > 2 else { return 0 }
  let input = Array(UnsafeBufferPointer(start: data, count: count))
  let header = Array(input[2...])
  let dataCount = 256 * (Int(input[0]) | Int(input[1]) << 8)
  var preamble = Preamble(headerLength: header.count, fileLength: 0)
  preamble.fileLength = preamble.dataOffset + dataCount
  var file = preamble.bytes(header: header) + header
  file += [UInt8](repeating: 0, count: preamble.fileLength - file.count)
  let identity = MappedFile.Identity(device: 0, inode: 0)
  guard let model = try? SWTFile(bytes: Bytes(file), identity: identity) else { return 0 }
  try? model.checkTensors()
  try? model.verify()
  for tensor in model.tensors { _ = model.values(of: tensor) }
  return 0
}
