// SPDX-License-Identifier: Apache-2.0
extension TensorDataType {
  /// The stored numbers as `f32`; widening is exact.
  package func widen(_ bytes: UnsafeRawBufferPointer) -> [Float] {
    let count = bytes.count / byteCount
    return [Float](unsafeUninitializedCapacity: count) { values, initialized in
      for index in 0..<count {
        switch self {
        case .f32:
          values[index] = Float(
            bitPattern: UInt32(
              littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
        case .f16, .bf16:
          let bits = UInt16(
            littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
          values[index] =
            self == .bf16
            ? Float(bitPattern: UInt32(bits) << 16) : HalfPrecision.widen(bits)
        }
      }
      initialized = count
    }
  }

  /// `value` rounded to the nearest number of this type, ties to even; `nil` where a finite value
  /// becomes infinite.
  package func narrow(_ value: Float) -> UInt16? {
    switch self {
    case .f32: return nil
    case .f16: return HalfPrecision.narrow(value)
    case .bf16:
      let bits = value.bitPattern
      guard value.isFinite else {
        return UInt16(truncatingIfNeeded: bits >> 16) | (value.isNaN ? 0x40 : 0)
      }
      let rounded = (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16
      return rounded & 0x7F80 == 0x7F80 ? nil : UInt16(truncatingIfNeeded: rounded)
    }
  }
}

/// IEEE 754 binary16 in integer arithmetic: `Float16` costs a library call per element on x86-64.
private enum HalfPrecision {
  static func widen(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10 & 0x1F)
    let fraction = UInt32(bits & 0x3FF)
    switch exponent {
    case 0:
      let magnitude = Float(fraction) * 0x1p-24
      return Float(bitPattern: magnitude.bitPattern | sign)
    case 0x1F: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }

  static func narrow(_ value: Float) -> UInt16? {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    let bits = value.bitPattern & 0x7FFF_FFFF
    if bits >= 0x7F80_0000 { return sign | (bits > 0x7F80_0000 ? 0x7E00 : 0x7C00) }
    if bits < 0x3880_0000 {
      // A subnormal half is a multiple of 2⁻²⁴; the sum below rounds to it, ties to even.
      let shifted = Float(bitPattern: bits) + 0.5
      return sign | UInt16(truncatingIfNeeded: shifted.bitPattern &- Float(0.5).bitPattern)
    }
    let rounded = (bits &- 0x3800_0000 &+ 0xFFF &+ (bits >> 13 & 1)) >> 13
    return rounded >= 0x7C00 ? nil : sign | UInt16(truncatingIfNeeded: rounded)
  }
}

extension TensorDataType {
  /// `value` as it comes back after being stored in this type.
  package func rounded(_ value: Float) -> Float {
    guard let bits = narrow(value) else { return value }
    return self == .bf16 ? Float(bitPattern: UInt32(bits) << 16) : HalfPrecision.widen(bits)
  }
}
