// SPDX-License-Identifier: Apache-2.0
import FileIO
import Preprocessing

/// Reads a scan, as itself and inflated, with every reader, turned or not, and makes the header of a result.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard count > 0 else { return 0 }
  let bytes = Bytes(Array(UnsafeBufferPointer(start: data + 1, count: count - 1)))
  let readers = ImageReader.allCases
  let reader = readers[Int(data[0]) % readers.count]
  let orientation = data[0] & 0x80 == 0 ? nil : ScanOrientation("PIR")
  if let image = try? NIfTIImage(
    bytes: bytes, path: "fuzz.nii", reader: reader, turningTo: orientation)
  {
    for volume in image.volumes {
      precondition(volume.values.count == volume.shape.reduce(1, *))
      precondition(volume.shape == image.geometry.shape)
    }
    _ = try? NIfTIWriter(geometry: image.geometry)
    _ = image.warnings.map(\.description)
  }
  return 0
}
