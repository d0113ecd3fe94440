// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// Everything a pickle built: values in an arena that refer to each other by index.
///
/// Python's values may be shared, nested a hundred thousand deep or contain themselves; as indices
/// they cost what the pickle is long, and nothing here is recursive.
package final class PickleDocument: Sendable {
  typealias Index = Int32

  enum Node: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case bigInteger
    case double(Double)
    case string(String)
    case bytes(Bytes)
    /// An index into `containers`, as for all of the collections.
    case list(Int)
    case tuple(Int)
    case set(Int)
    /// Keys and values in turn.
    case dictionary(Int)
    case symbol(PickleSymbol)
    case storage(Int)
    case tensor(Int)
    case numpyType(NumpyType)
    case array(Int)
    case device(String)
    case path(String)
    /// A tensor that is stored in a way we do not read; the text says what it is.
    case unreadableTensor(String)
    /// Something harmless that we do not look into; the text says what.
    case opaque(String)
  }

  let nodes: [Node]
  let containers: [[Index]]
  let tensors: [TensorView]
  let arrays: [NumpyArray]
  let rootIndex: Index
  /// Every Python name in the pickle, in the order of their first occurrence.
  package let globals: [String]

  init(
    nodes: [Node], containers: [[Index]], tensors: [TensorView], arrays: [NumpyArray],
    root: Index, globals: [String]
  ) {
    self.nodes = nodes
    self.containers = containers
    self.tensors = tensors
    self.arrays = arrays
    rootIndex = root
    self.globals = globals
  }

  /// The value that the pickle stands for.
  package var root: PickleValue { PickleValue(document: self, index: rootIndex) }
}

/// NumPy's name for a number type, with its byte order.
struct NumpyType: Sendable, Equatable {
  /// As in `dtype.str` without the order: `f4`, `i8`, `b1`, …
  var code: String
  var isBigEndian = false

  /// The size of one number; `nil` for what we do not decode (objects, strings, dates).
  var byteCount: Int? {
    [
      "f2": 2, "f4": 4, "f8": 8, "i1": 1, "i2": 2, "i4": 4, "i8": 8, "u1": 1, "u2": 2, "u4": 4,
      "u8": 8, "b1": 1,
    ][code]
  }
}

/// A NumPy array inside a pickle.
package struct NumpyArray: Sendable {
  package var shape: [Int] = []
  var type: NumpyType?
  package internal(set) var isFortranOrder = false
  var bytes = Bytes([])

  /// The numbers in the order of the bytes: row-major, but for `isFortranOrder`; `nil` where they
  /// are no numbers.
  package var numbers: [Double]? {
    guard let type, let width = type.byteCount else { return nil }
    return (0..<bytes.count / width).map { index in
      bytes.slice(at: index * width, count: width).flatMap { type.decode($0) } ?? .nan
    }
  }

  /// Whether the numbers are integers or booleans.
  package var isIntegral: Bool { type.map { !$0.code.hasPrefix("f") } ?? false }
}

extension NumpyType {
  /// The text of a `numpy.str_`, which has four bytes per character; `nil` for other types.
  func decodeText(_ bytes: Bytes) -> String? {
    guard code.hasPrefix("U"), bytes.count.isMultiple(of: 4), bytes.count <= 1 << 16 else {
      return nil
    }
    var text = String.UnicodeScalarView()
    for offset in stride(from: 0, to: bytes.count, by: 4) {
      guard let value = bytes.littleEndian(UInt32.self, at: offset),
        let scalar = Unicode.Scalar(isBigEndian ? value.byteSwapped : value)
      else { return nil }
      // NumPy pads with zeros.
      if scalar != "\0" { text.append(scalar) }
    }
    return String(text)
  }

  /// One number; `nil` for what is no number.
  func decode(_ bytes: Bytes) -> Double? {
    guard let width = byteCount, bytes.count == width else { return nil }
    let raw = isBigEndian ? bytes.array.reversed() : bytes.array
    let bits = raw.enumerated().reduce(UInt64(0)) {
      $0 | UInt64($1.element) << (8 * UInt64($1.offset))
    }
    switch code {
    case "f2": return Double(ElementType.widenHalf(UInt16(truncatingIfNeeded: bits)))
    case "f4": return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case "f8": return Double(bitPattern: bits)
    case "i1": return Double(Int8(truncatingIfNeeded: bits))
    case "i2": return Double(Int16(truncatingIfNeeded: bits))
    case "i4": return Double(Int32(truncatingIfNeeded: bits))
    case "i8": return Double(Int64(bitPattern: bits))
    default: return Double(bits)
    }
  }
}
