import FileIO
import Preprocessing

/// Reads a scan, as itself and inflated, with every reader.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard count > 0 else { return 0 }
  let bytes = Bytes(Array(UnsafeBufferPointer(start: data + 1, count: count - 1)))
  let reader = ImageReader.allCases[Int(data[0]) % ImageReader.allCases.count]
  if let image = try? NIfTIImage(bytes: bytes, path: "fuzz.nii", reader: reader) {
    for volume in image.volumes { precondition(volume.values.count == volume.shape.reduce(1, *)) }
  }
  return 0
}
