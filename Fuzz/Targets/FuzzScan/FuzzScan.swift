// SPDX-License-Identifier: Apache-2.0
import FileIO
import Preprocessing
@testable import SWTFormat

/// Prepares a scan with a model's settings, both from the input: two bytes say how long the settings are, as
/// JSON, and the rest is the scan.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard count > 3 else { return 0 }
  let bytes = Bytes(Array(UnsafeBufferPointer(start: data, count: count)))
  let length = min(Int(data[0]) | Int(data[1]) << 8, count - 2)
  guard let settings = bytes.slice(at: 2, count: length),
    let file = bytes.slice(at: 2 + length, count: count - 2 - length),
    let json = try? JSONParser.parse(settings),
    let description = try? PreprocessingDescription(
      JSONField(path: "preprocessing", value: json), dimension: json["spacing"]?.array?.count ?? 3),
    let preprocessor = try? Preprocessor(description: description),
    let reader = try? preprocessor.reader,
    let image = try? NIfTIImage(bytes: file, path: "fuzz.nii", reader: reader),
    let geometry = try? preprocessor.geometry(of: image.volumes)
  else { return 0 }
  // What is refused for its size needs no time here.
  guard geometry.peakByteCount < 1 << 25 else { return 0 }
  if let prepared = try? preprocessor.prepare(channels: image.volumes) {
    precondition(prepared.values.count == prepared.shape.reduce(1, *))
  }
  return 0
}
