// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// How elements are written.
struct ElementEncoding: Sendable {
  /// Whether each element tells its value representation.
  var isExplicit: Bool
  var isBigEndian: Bool

  static let implicitLittleEndian = ElementEncoding(isExplicit: false, isBigEndian: false)
}

/// Where a file's pixels lie in its data set.
enum PixelLocation: Sendable, Equatable {
  case native(Range<Int>)
  /// Without the offset table, which comes first.
  case fragments([Range<Int>])
}

/// Walks the elements of a data set, keeping those of use; see PS3.5, chapter 7.
struct DataSetParser {
  private enum Representation {
    static let short = names("AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US")
    static let long = names("OB OD OF OL OV OW SQ SV UC UN UR UT UV")
    static let sequence = code("SQ")
    static let unknown = code("UN")
    /// In implicit encoding.
    static let none: UInt16 = 0

    static func code(_ name: some StringProtocol) -> UInt16 {
      name.utf8.reduce(0) { $0 << 8 | UInt16($1) }
    }

    private static func names(_ text: String) -> Set<UInt16> {
      Set(text.split(separator: " ").map { code($0) })
    }
  }

  private struct Header {
    let tag: DICOMTag
    let representation: UInt16
    let length: UInt32
    /// Where the value begins.
    let start: Int

    var isUndefined: Bool { length == .max }
    var mayHoldItems: Bool {
      representation == Representation.none || representation == Representation.sequence
        || representation == Representation.unknown
    }
  }

  private let bytes: Bytes
  private var elementCount = 0
  /// The pixels of the data set itself, not those of an icon.
  private(set) var pixels: PixelLocation?

  init(_ bytes: Bytes) { self.bytes = bytes }

  /// Whether two letters at `offset` are a value representation of the short form.
  static func hasRepresentation(_ bytes: Bytes, at offset: Int) -> Bool {
    guard let code: UInt16 = bytes.littleEndian(at: offset) else { return false }
    return Representation.short.contains(code.byteSwapped)
  }

  /// The meta group, from `offset` to the first element of another group.
  mutating func metaGroup(from offset: Int) throws(DICOMError) -> (DataSet, end: Int) {
    let encoding = ElementEncoding(isExplicit: true, isBigEndian: false)
    var result = DataSet()
    var position = offset
    while bytes.littleEndian(UInt16.self, at: position) == 2 {
      let header = try header(at: position, below: bytes.count, encoding)
      position = try end(of: header, below: bytes.count)
      try keep(header, in: &result)
    }
    return (result, position)
  }

  /// The data set from `offset` to the end of the bytes.
  mutating func dataSet(from offset: Int, _ encoding: ElementEncoding) throws(DICOMError) -> DataSet
  {
    try dataSet(in: offset..<bytes.count, encoding, depth: 0, isOpen: false).0
  }

  /// Elements up to the end of `range` or, of an open item, to its end mark.
  private mutating func dataSet(
    in range: Range<Int>, _ encoding: ElementEncoding, depth: Int, isOpen: Bool
  ) throws(DICOMError) -> (DataSet, end: Int) {
    guard depth <= DICOMLimits.nesting else {
      throw DICOMError(.limit, "its sequences are nested more than \(DICOMLimits.nesting) deep")
    }
    var result = DataSet()
    result.isBigEndian = encoding.isBigEndian
    var position = range.lowerBound
    var last: DICOMTag?
    while position < range.upperBound {
      let header = try header(at: position, below: range.upperBound, encoding)
      if header.tag == .itemEnd, isOpen, header.length == 0 { return (result, header.start) }
      guard header.tag.group != 0xFFFE else {
        throw DICOMError(.bytes, "has a delimiter out of place at byte \(position)")
      }
      guard last.map({ $0 < header.tag }) ?? true else {
        throw DICOMError(.bytes, "has \(header.tag) out of order at byte \(position)")
      }
      last = header.tag
      position = try element(header, below: range.upperBound, encoding, depth, in: &result)
    }
    guard !isOpen else { throw DICOMError(.bytes, "has an item without end") }
    return (result, position)
  }

  /// Takes one element in; returns where the next begins.
  private mutating func element(
    _ header: Header, below limit: Int, _ encoding: ElementEncoding, _ depth: Int,
    in result: inout DataSet
  ) throws(DICOMError) -> Int {
    // Items under an unknown representation are implicit little endian, whatever is around them.
    let inner =
      header.representation == Representation.unknown ? .implicitLittleEndian : encoding
    if header.isUndefined {
      if header.tag == .pixels, encoding.isExplicit {
        let (fragments, end) = try fragments(from: header.start, below: limit, encoding)
        if depth == 0 { pixels = .fragments(fragments) }
        return end
      }
      guard header.mayHoldItems, header.tag != .pixels else {
        throw DICOMError(.bytes, "has \(header.tag) without a length")
      }
      let (items, end) = try items(in: header.start..<limit, inner, depth, isOpen: true)
      if DICOMTag.entered.contains(header.tag) {
        result.append(.items(items), at: header.tag)
      } else if DICOMTag.noticed.contains(header.tag) {
        result.append(.present, at: header.tag)
      }
      return end
    }
    let end = try end(of: header, below: limit)
    if header.mayHoldItems, DICOMTag.entered.contains(header.tag) {
      let items = try items(in: header.start..<end, inner, depth, isOpen: false).0
      result.append(.items(items), at: header.tag)
    } else if header.tag == .pixels {
      if depth == 0 { pixels = .native(header.start..<end) }
    } else {
      try keep(header, in: &result)
    }
    return end
  }

  private mutating func items(
    in range: Range<Int>, _ encoding: ElementEncoding, _ depth: Int, isOpen: Bool
  ) throws(DICOMError) -> ([DataSet], end: Int) {
    var result: [DataSet] = []
    var position = range.lowerBound
    while position < range.upperBound {
      let header = try header(at: position, below: range.upperBound, encoding)
      if header.tag == .sequenceEnd, isOpen { return (result, header.start) }
      guard header.tag == .item else {
        throw DICOMError(.bytes, "has no item at byte \(position)")
      }
      let end = header.isUndefined ? range.upperBound : try end(of: header, below: range.upperBound)
      let (item, next) = try dataSet(
        in: header.start..<end, encoding, depth: depth + 1, isOpen: header.isUndefined)
      result.append(item)
      position = next
    }
    guard !isOpen else { throw DICOMError(.bytes, "has a sequence without end") }
    return (result, position)
  }

  private mutating func fragments(
    from offset: Int, below limit: Int, _ encoding: ElementEncoding
  ) throws(DICOMError) -> ([Range<Int>], end: Int) {
    var result: [Range<Int>] = []
    var position = offset
    while true {
      let header = try header(at: position, below: limit, encoding)
      if header.tag == .sequenceEnd {
        guard !result.isEmpty else { throw DICOMError(.bytes, "has no offset table") }
        return (Array(result.dropFirst()), header.start)
      }
      guard header.tag == .item, !header.isUndefined else {
        throw DICOMError(.bytes, "has no fragment of pixels at byte \(position)")
      }
      position = try end(of: header, below: limit)
      result.append(header.start..<position)
    }
  }

  private func keep(_ header: Header, in result: inout DataSet) throws(DICOMError) {
    if DICOMTag.noticed.contains(header.tag) { result.append(.present, at: header.tag) }
    guard DICOMTag.kept.contains(header.tag) else { return }
    guard header.length <= DICOMLimits.valueByteCount,
      let value = bytes.slice(at: header.start, count: Int(header.length))
    else { throw DICOMError(.limit, "has \(header.tag) of \(header.length) bytes") }
    result.append(.bytes(value.array), at: header.tag)
  }

  private func end(of header: Header, below limit: Int) throws(DICOMError) -> Int {
    guard !header.isUndefined, Int(header.length) <= limit - header.start else {
      throw DICOMError(.bytes, "ends within \(header.tag): is it cut off?")
    }
    return header.start + Int(header.length)
  }

  private mutating func header(
    at position: Int, below limit: Int, _ encoding: ElementEncoding
  ) throws(DICOMError) -> Header {
    func number<Number: FixedWidthInteger & BitwiseCopyable>(
      _ type: Number.Type, _ offset: Int
    ) throws(DICOMError) -> Number {
      guard offset + MemoryLayout<Number>.size <= limit,
        let number: Number = bytes.littleEndian(at: offset)
      else {
        throw DICOMError(.bytes, "ends within an element at byte \(position): is it cut off?")
      }
      return encoding.isBigEndian ? number.byteSwapped : number
    }
    elementCount += 1
    guard elementCount <= DICOMLimits.elements else {
      throw DICOMError(.limit, "has more than \(DICOMLimits.elements) elements")
    }
    let group = try number(UInt16.self, position)
    let tag = DICOMTag(
      rawValue: UInt32(group) << 16 | UInt32(try number(UInt16.self, position + 2)))
    guard encoding.isExplicit, group != 0xFFFE else {
      return Header(
        tag: tag, representation: Representation.none,
        length: try number(UInt32.self, position + 4),
        start: position + 8)
    }
    // The letters keep their order in either byte order.
    let letters = try number(UInt16.self, position + 4)
    let representation = encoding.isBigEndian ? letters : letters.byteSwapped
    if Representation.short.contains(representation) {
      return Header(
        tag: tag, representation: representation,
        length: UInt32(try number(UInt16.self, position + 6)), start: position + 8)
    }
    guard Representation.long.contains(representation) else {
      throw DICOMError(.bytes, "has no value representation at byte \(position)")
    }
    return Header(
      tag: tag, representation: representation, length: try number(UInt32.self, position + 8),
      start: position + 12)
  }
}
