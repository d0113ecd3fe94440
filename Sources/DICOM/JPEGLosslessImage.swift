// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// A JPEG image of process 14 (lossless, Huffman, one component), as transfer syntaxes .57 and .70
/// hold; see ITU T.81, annex H.
struct JPEGLosslessImage {
  private enum Marker {
    static let start: [UInt8] = [0xFF, 0xD8]
    static let losslessFrame: UInt8 = 0xC3
    static let huffmanTables: UInt8 = 0xC4
    static let restartInterval: UInt8 = 0xDD
    static let scan: UInt8 = 0xDA
    static let end: UInt8 = 0xD9
    static let restarts: ClosedRange<UInt8> = 0xD0...0xD7
    /// Frames of other processes, tables of arithmetic coding and extensions left out.
    static let otherFrames = Set<UInt8>(0xC0...0xCF).subtracting([0xC3, 0xC4, 0xC8, 0xCC])
  }

  private let rows: Int
  private let columns: Int
  private let bytes: Bytes
  private var precision = 0
  private var predictor = 0
  private var restartInterval = 0
  private var tables: [UInt8: HuffmanTable] = [:]
  private var table: HuffmanTable?
  private var scanStart = 0

  /// Reads the headers, which must fit what the data set says.
  init(_ bytes: Bytes, rows: Int, columns: Int, largestPrecision: Int) throws(DICOMError) {
    self.rows = rows
    self.columns = columns
    self.bytes = bytes
    guard bytes.hasBytes(Marker.start) else { throw Self.damaged("does not begin") }
    var position = 2
    while table == nil {
      guard bytes.byte(at: position) == 0xFF, let marker = bytes.byte(at: position + 1) else {
        throw Self.damaged("has no marker at byte \(position)")
      }
      // Any number of bytes may fill the space before a marker.
      guard marker != 0xFF else {
        position += 1
        continue
      }
      guard marker != Marker.end, let high = bytes.byte(at: position + 2),
        let low = bytes.byte(at: position + 3), case let count = Int(high) << 8 | Int(low),
        count >= 2, let segment = bytes.slice(at: position + 4, count: count - 2)
      else { throw Self.damaged("has no scan") }
      position += 2 + count
      try take(segment.array, of: marker)
    }
    guard precision <= largestPrecision else {
      throw DICOMError(.bits, "has a JPEG of \(precision) bits in pixels of \(largestPrecision)")
    }
    scanStart = position
  }

  private mutating func take(_ segment: [UInt8], of marker: UInt8) throws(DICOMError) {
    switch marker {
    case Marker.losslessFrame: try takeFrame(segment)
    case Marker.huffmanTables: try takeTables(segment)
    case Marker.restartInterval:
      guard segment.count == 2 else { throw Self.damaged("has a wrong restart interval") }
      restartInterval = Int(segment[0]) << 8 | Int(segment[1])
    case Marker.scan: try takeScan(segment)
    case _ where Marker.otherFrames.contains(marker):
      throw DICOMError(.bytes, "has a JPEG that is not lossless, unlike its transfer syntax")
    default: break
    }
  }

  private mutating func takeFrame(_ segment: [UInt8]) throws(DICOMError) {
    guard precision == 0, segment.count >= 9, segment[5] == 1,
      Int(segment[1]) << 8 | Int(segment[2]) == rows,
      Int(segment[3]) << 8 | Int(segment[4]) == columns, (2...16).contains(segment[0])
    else { throw Self.damaged("has another size than the data set says") }
    precision = Int(segment[0])
  }

  private mutating func takeTables(_ segment: [UInt8]) throws(DICOMError) {
    var rest = segment[...]
    while let name = rest.popFirst() {
      let counts = Array(rest.prefix(HuffmanTable.longestCode))
      let total = counts.reduce(0) { $0 + Int($1) }
      rest = rest.dropFirst(HuffmanTable.longestCode)
      let values = Array(rest.prefix(total))
      rest = rest.dropFirst(total)
      guard name <= 3, values.count == total,
        let table = HuffmanTable(counts: counts, values: values)
      else { throw Self.damaged("has a wrong Huffman table") }
      tables[name] = table
    }
  }

  private mutating func takeScan(_ segment: [UInt8]) throws(DICOMError) {
    guard precision > 0, segment.count == 6, segment[0] == 1, let table = tables[segment[2] >> 4]
    else { throw Self.damaged("has a wrong scan") }
    predictor = Int(segment[3])
    guard (1...7).contains(predictor), segment[5] == 0 else {
      // With a point transform it would not be lossless.
      throw Self.damaged("has a predictor or point transform that is not read")
    }
    guard restartInterval % columns == 0 || restartInterval >= rows * columns else {
      throw Self.damaged("restarts within a row")
    }
    self.table = table
  }

  static func damaged(_ problem: String) -> DICOMError {
    DICOMError(.bytes, "its JPEG image \(problem)")
  }

  /// The pixels, two bytes each, as they are coded: unsigned.
  mutating func decoded() throws(DICOMError) -> Bytes {
    guard let table else { throw Self.damaged("has no scan") }
    let output = HeapBuffer(byteCount: rows * columns * 2)
    let pixels = output.memory.bindMemory(to: UInt16.self)
    let problem = bytes.withUnsafeBytes { source in
      var reader = JPEGBitReader(source, from: scanStart)
      return decode(&reader, table, into: pixels)
    }
    if let problem { throw Self.damaged(problem) }
    return output.bytes
  }

  /// Decodes the scan; returns what is wrong with it.
  private func decode(
    _ reader: inout JPEGBitReader, _ table: HuffmanTable,
    into pixels: UnsafeMutableBufferPointer<UInt16>
  ) -> String? {
    // After the start and each restart a row has none above to predict from.
    var isFirstRow = true
    let restartRows = restartInterval / columns
    return table.direct.withUnsafeBufferPointer { direct in
      for row in 0..<rows {
        if restartRows > 0, row > 0, row % restartRows == 0 {
          guard reader.skipMarker(Marker.restarts) else { return "lacks a restart marker" }
          isFirstRow = true
        }
        let start = row * columns
        for column in 0..<columns {
          guard let difference = reader.difference(table, direct) else {
            return "ends early or has a code that its table has not"
          }
          let index = start + column
          let prediction: Int
          switch (column > 0, !isFirstRow) {
          case (false, false): prediction = 1 << (precision - 1)
          case (true, false): prediction = Int(pixels[index - 1])
          case (false, true): prediction = Int(pixels[index - columns])
          case (true, true):
            prediction = predicted(
              left: Int(pixels[index - 1]), above: Int(pixels[index - columns]),
              corner: Int(pixels[index - columns - 1]))
          }
          pixels[index] = UInt16(truncatingIfNeeded: prediction &+ difference)
        }
        isFirstRow = false
      }
      return nil
    }
  }

  private func predicted(left: Int, above: Int, corner: Int) -> Int {
    switch predictor {
    case 1: left
    case 2: above
    case 3: corner
    case 4: left + above - corner
    case 5: left + (above - corner) >> 1
    case 6: above + (left - corner) >> 1
    default: (left + above) >> 1
    }
  }
}
