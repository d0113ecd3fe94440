// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// Texts that NumPy saved: `numpy.savez(…, model_id="…", classes=[…])`.
package enum NPYText {
  private static let lengthLimit = 4096
  private static let countLimit = 65_536

  /// Reads an array without axes.
  package static func read(_ bytes: Bytes) throws(NPYError) -> String {
    let fields = try NPYHeader.Fields(bytes)
    guard fields.shape.isEmpty else { throw .elementType(fields.descriptor) }
    return try texts(bytes, fields, count: 1)[0]
  }

  /// Reads an array of one axis.
  package static func readList(_ bytes: Bytes) throws(NPYError) -> [String] {
    let fields = try NPYHeader.Fields(bytes)
    guard fields.shape.count == 1, (0...countLimit).contains(fields.shape[0]) else {
      throw .elementType(fields.descriptor)
    }
    return try texts(bytes, fields, count: fields.shape[0])
  }

  /// The type is `<U…`: code points of four bytes padded with zeros.
  private static func texts(
    _ bytes: Bytes, _ fields: NPYHeader.Fields, count: Int
  ) throws(NPYError) -> [String] {
    guard fields.descriptor.hasPrefix("<U"), let length = Int(fields.descriptor.dropFirst(2)),
      (0...lengthLimit).contains(length)
    else { throw .elementType(fields.descriptor) }
    guard bytes.count - fields.dataOffset == 4 * length * count else {
      throw .dataLength(found: bytes.count - fields.dataOffset, expected: 4 * length * count)
    }
    var result: [String] = []
    for index in 0..<count {
      var text = ""
      for position in 0..<length {
        let offset = fields.dataOffset + 4 * (index * length + position)
        let code = bytes.littleEndian(UInt32.self, at: offset) ?? 0
        if code == 0 { break }
        guard let scalar = Unicode.Scalar(code) else { throw .header("is followed by no text") }
        text.unicodeScalars.append(scalar)
      }
      result.append(text)
    }
    return result
  }
}
