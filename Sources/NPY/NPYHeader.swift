// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// What a `.npy` file says of itself before the numbers.
struct NPYHeader {
  /// The kinds of numbers we read.
  enum Element: String, CaseIterable {
    case half = "<f2"
    case single = "<f4"
    case double = "<f8"

    var byteCount: Int {
      switch self {
      case .half: 2
      case .single: 4
      case .double: 8
      }
    }

    func read(_ bytes: UnsafeRawBufferPointer, count: Int) -> [Float] {
      switch self {
      case .half:
        (0..<count).map { index in
          let bits = bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
          return Self.widen(UInt16(littleEndian: bits))
        }
      case .single:
        // The machines we run on are little-endian.
        [Float](unsafeUninitializedCapacity: count) { values, initialized in
          UnsafeMutableRawBufferPointer(values).copyMemory(
            from: UnsafeRawBufferPointer(rebasing: bytes.prefix(4 * count)))
          initialized = count
        }
      case .double:
        (0..<count).map { index in
          let bits = bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
          return Float(Double(bitPattern: UInt64(littleEndian: bits)))
        }
      }
    }

    private static func widen(_ bits: UInt16) -> Float {
      let fraction = Float(bits & 0x3FF)
      let sign: Float = bits & 0x8000 == 0 ? 1 : -1
      switch bits >> 10 & 0x1F {
      case 0: return sign * fraction * 0x1p-24
      case 0x1F: return fraction == 0 ? sign * .infinity : .nan
      case let exponent:
        return sign
          * Float(sign: .plus, exponent: Int(exponent) - 15, significand: 1 + fraction / 1024)
      }
    }
  }

  fileprivate static let headerLimit = 65_536
  fileprivate static let rankLimit = 8

  let element: Element
  let isFortranOrder: Bool
  let shape: [Int]
  let dataOffset: Int
  let elementCount: Int
  var dataByteCount: Int { elementCount * element.byteCount }

  /// What the header says, before it is known whether the numbers can be read.
  struct Fields {
    let descriptor: String
    let isFortranOrder: Bool
    let shape: [Int]
    let dataOffset: Int
  }

  init(_ bytes: Bytes) throws(NPYError) {
    let fields = try Fields(bytes)
    guard let element = Element(rawValue: fields.descriptor) else {
      throw .elementType(fields.descriptor)
    }
    var count = 1
    for size in fields.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow, product <= Int.max / 8 else { throw .header("has a shape that overflows") }
      count = product
    }
    guard count * element.byteCount <= bytes.count else {
      throw .dataLength(
        found: bytes.count - fields.dataOffset, expected: count * element.byteCount)
    }
    self.element = element
    isFortranOrder = fields.isFortranOrder
    shape = fields.shape
    dataOffset = fields.dataOffset
    elementCount = count
  }
}

extension NPYHeader.Fields {
  init(_ bytes: Bytes) throws(NPYError) {
    guard bytes.hasBytes([0x93] + Array("NUMPY".utf8)), let major = bytes.byte(at: 6) else {
      throw .notNPY
    }
    let lengthSize = major == 1 ? 2 : 4
    guard (1...3).contains(major) else { throw .version(Int(major)) }
    let declared =
      major == 1
      ? bytes.littleEndian(UInt16.self, at: 8).map(Int.init)
      : bytes.littleEndian(UInt32.self, at: 8).map(Int.init)
    guard let length = declared, length <= NPYHeader.headerLimit,
      let text = bytes.slice(at: 8 + lengthSize, count: length)?.utf8
    else { throw .header("is cut short, too long or no text") }
    dataOffset = 8 + lengthSize + length
    var parser = PythonDictionary(text)
    let fields = try parser.parse()
    guard fields.count == 3, case .string(let descriptor)? = fields["descr"],
      case .bool(let fortran)? = fields["fortran_order"], case .tuple(let sizes)? = fields["shape"]
    else { throw .header("lacks one of descr, fortran_order, shape, or has more") }
    guard sizes.count <= NPYHeader.rankLimit else { throw .header("has rank \(sizes.count)") }
    self.descriptor = descriptor
    isFortranOrder = fortran
    shape = sizes
  }
}

/// The Python literal in a `.npy` header: a dictionary of strings, booleans and tuples of integers.
private struct PythonDictionary {
  enum Value {
    case string(String)
    case bool(Bool)
    case tuple([Int])
  }

  private let text: [UInt8]
  private var position = 0

  init(_ text: String) { self.text = Array(text.utf8) }

  private var next: UInt8? { position < text.count ? text[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x09 { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(NPYError) {
    guard take(character) else { throw .header("lacks '\(character)' at byte \(position)") }
  }

  mutating func parse() throws(NPYError) -> [String: Value] {
    var fields: [String: Value] = [:]
    try expect("{")
    while !take("}") {
      let key = try string()
      try expect(":")
      guard fields.updateValue(try value(), forKey: key) == nil else {
        throw .header("has '\(key)' twice")
      }
      if !take(",") {
        try expect("}")
        break
      }
    }
    skipSpace()
    guard next == nil else { throw .header("goes on after its dictionary") }
    return fields
  }

  private mutating func string() throws(NPYError) -> String {
    skipSpace()
    guard let quote = next, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw .header("lacks a string at byte \(position)")
    }
    position += 1
    let start = position
    while let byte = next, byte != quote { position += 1 }
    guard next == quote else { throw .header("has an unfinished string") }
    position += 1
    return String(decoding: text[start..<position - 1], as: UTF8.self)
  }

  private mutating func value() throws(NPYError) -> Value {
    skipSpace()
    if take("(") { return .tuple(try integers()) }
    for (word, value) in [("True", true), ("False", false)]
    where text[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return .bool(value)
    }
    return .string(try string())
  }

  private mutating func integers() throws(NPYError) -> [Int] {
    var result: [Int] = []
    while !take(")") {
      skipSpace()
      let start = position
      while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
      guard let number = Int(String(decoding: text[start..<position], as: UTF8.self)) else {
        throw .header("has a bad size at byte \(start)")
      }
      result.append(number)
      if !take(",") {
        try expect(")")
        break
      }
    }
    return result
  }
}
