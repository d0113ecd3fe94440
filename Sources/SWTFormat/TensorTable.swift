// SPDX-License-Identifier: Apache-2.0
/// The tensor table of a header.
enum TensorTable {
  private static let nameLimit = 256
  private static let rankLimit = 8

  static func json(_ tensors: [TensorEntry]) -> JSONValue {
    .array(
      tensors.map { entry in
        [
          "name": .string(entry.name), "dtype": .string(entry.dataType.rawValue),
          "shape": JSONValue(entry.shape), "layout": .string(entry.layout.rawValue),
          "offset": .integer(entry.offset), "nbytes": .integer(entry.byteCount),
          "sha256": .string(entry.sha256),
        ]
      })
  }

  /// Reads the table and checks that its tensors tile the data exactly.
  static func read(
    _ json: JSONValue, dataOffset: Int, fileLength: Int
  ) throws(SWTError) -> [TensorEntry] {
    let field = try JSONField(path: "", value: json)["tensors"]
    let count = field.value.array?.count ?? 0
    guard count <= SWTFile.tensorLimit else {
      throw SWTError(.tensorCount(count, limit: SWTFile.tensorLimit))
    }
    var names: Set<[UInt8]> = []
    var entries: [TensorEntry] = []
    var end = dataOffset
    for element in try field.elements(1...SWTFile.tensorLimit) {
      let entry = try TensorEntry(element, nameLimit: nameLimit, rankLimit: rankLimit)
      guard names.insert(Array(entry.name.utf8)).inserted else {
        throw SWTError(.duplicateTensor(name: entry.name))
      }
      guard let count = entry.layout.elementCount(shape: entry.shape),
        case (let expected, let overflow) = count.multipliedReportingOverflow(
          by: entry.dataType.byteCount), !overflow
      else { throw try element["shape"].problem("is too large: \(entry.shape)") }
      guard entry.byteCount == expected else {
        throw SWTError(
          .tensorByteCount(
            name: entry.name, declared: entry.byteCount, expected: expected))
      }
      let start = Preamble.roundUp(end, to: Preamble.tensorAlignment)
      guard entry.offset == start else {
        throw SWTError(.tensorOffset(name: entry.name, declared: entry.offset, expected: start))
      }
      guard start <= fileLength, entry.byteCount <= fileLength - start else {
        throw SWTError(
          .dataEnd(
            tensorsEnd: start.addingReportingOverflow(entry.byteCount).partialValue,
            fileLength: fileLength))
      }
      end = start + entry.byteCount
      entries.append(entry)
    }
    guard end == fileLength else {
      throw SWTError(.dataEnd(tensorsEnd: end, fileLength: fileLength))
    }
    return entries
  }
}

extension TensorEntry {
  fileprivate init(_ field: JSONField, nameLimit: Int, rankLimit: Int) throws(SWTError) {
    let hash = try field["sha256"].string(limit: 64)
    guard hash.utf8.count == 64, hash.utf8.allSatisfy({ isHexDigit($0) }) else {
      throw try field["sha256"].problem("is no SHA-256 in lower-case hex")
    }
    self.init(
      name: try field["name"].name(limit: nameLimit), dataType: try field["dtype"].choice(),
      shape: try field["shape"].integers(1...Int(Int32.max), count: 0...rankLimit),
      layout: try field["layout"].choice(), offset: try field["offset"].integer(1...Int.max),
      byteCount: try field["nbytes"].integer(1...Int.max), sha256: hash)
  }
}

private func isHexDigit(_ byte: UInt8) -> Bool {
  (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
}
