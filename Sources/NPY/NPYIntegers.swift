// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// An array of integers that NumPy saved.
package struct NPYIntegers: Sendable, Equatable {
  package let shape: [Int]
  package let values: [Int]

  private static let countLimit = 1 << 24

  /// Reads the content of a `.npy` file of `<i8`, `<i4`, `<i2`, `|i1`, `|u1` or `|b1` numbers in row-major order.
  package init(bytes: Bytes) throws(NPYError) {
    let fields = try NPYHeader.Fields(bytes)
    let width: Int
    switch fields.descriptor {
    case "<i8": width = 8
    case "<i4": width = 4
    case "<i2": width = 2
    case "|i1", "|u1", "|b1": width = 1
    default: throw .elementType(fields.descriptor)
    }
    guard !fields.isFortranOrder || fields.shape.count < 2 else {
      throw .header("is in Fortran's order")
    }
    var count = 1
    for size in fields.shape {
      guard size <= Self.countLimit, count * size <= Self.countLimit else {
        throw .header("has too many integers")
      }
      count *= size
    }
    guard bytes.count - fields.dataOffset == count * width else {
      throw .dataLength(found: bytes.count - fields.dataOffset, expected: count * width)
    }
    shape = fields.shape
    let isSigned = fields.descriptor != "|u1" && fields.descriptor != "|b1"
    values = (0..<count).map { index in
      let offset = fields.dataOffset + index * width
      switch width {
      case 8: return Int(bytes.littleEndian(Int64.self, at: offset) ?? 0)
      case 4: return Int(bytes.littleEndian(Int32.self, at: offset) ?? 0)
      case 2: return Int(bytes.littleEndian(Int16.self, at: offset) ?? 0)
      default:
        return isSigned
          ? Int(bytes.littleEndian(Int8.self, at: offset) ?? 0)
          : Int(bytes.littleEndian(UInt8.self, at: offset) ?? 0)
      }
    }
  }
}
