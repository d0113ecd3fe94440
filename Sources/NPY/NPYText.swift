package import FileIO

/// A text that NumPy saved as an array without axes: `numpy.savez(…, model_id="…")`.
package enum NPYText {
  private static let lengthLimit = 4096

  /// Reads the text; its type is `<U…`, code points of four bytes padded with zeros.
  package static func read(_ bytes: Bytes) throws(NPYError) -> String {
    let fields = try NPYHeader.Fields(bytes)
    guard fields.descriptor.hasPrefix("<U"), let length = Int(fields.descriptor.dropFirst(2)),
      (0...lengthLimit).contains(length), fields.shape.isEmpty
    else { throw .elementType(fields.descriptor) }
    guard bytes.count - fields.dataOffset == 4 * length else {
      throw .dataLength(found: bytes.count - fields.dataOffset, expected: 4 * length)
    }
    var text = ""
    for index in 0..<length {
      let code = bytes.littleEndian(UInt32.self, at: fields.dataOffset + 4 * index) ?? 0
      if code == 0 { break }
      guard let scalar = Unicode.Scalar(code) else { throw .header("is followed by no text") }
      text.unicodeScalars.append(scalar)
    }
    return text
  }
}
