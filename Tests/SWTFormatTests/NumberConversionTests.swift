// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SWTFormat

@Suite struct NumberConversionTests {
  static let halves: [(value: Float, bits: Int)] = [
    (1, 0x3C00), (-2, 0xC000), (65504, 0x7BFF), (0x1p-24, 0x0001), (0x1p-25, 0x0000),
    (0x1.8p-24, 0x0002), (0x1p-14, 0x0400), (1.0009765625 + 0x1p-12, 0x3C01), (0, 0),
    (-0.0, 0x8000),
  ]

  @Test(arguments: halves)
  func f16RoundsToTheNearestEven(value: Float, bits: Int) {
    #expect(TensorDataType.f16.narrow(value) == UInt16(bits))
  }

  @Test func bf16RoundsToTheNearestEven() {
    #expect(TensorDataType.bf16.narrow(1) == 0x3F80)
    #expect(TensorDataType.bf16.narrow(Float(bitPattern: 0x3F80_8000)) == 0x3F80)
    #expect(TensorDataType.bf16.narrow(Float(bitPattern: 0x3F81_8000)) == 0x3F82)
  }

  @Test func overflowIsReported() {
    #expect(TensorDataType.f16.narrow(65520) == nil)
    #expect(TensorDataType.f16.narrow(65519) == 0x7BFF)
    #expect(TensorDataType.bf16.narrow(.greatestFiniteMagnitude) == nil)
    #expect(TensorDataType.f16.narrow(.infinity) == 0x7C00)
  }

  @Test func everyHalfComesBackExactly() {
    for bits in 0...UInt16.max {
      for type in [TensorDataType.f16, .bf16] {
        let value = withUnsafeBytes(of: bits.littleEndian) { type.widen($0)[0] }
        guard !value.isNaN else { continue }
        #expect(type.narrow(value) == bits)
      }
    }
  }

  @Test(arguments: [[20, 3, 1, 1], [16, 16, 3, 3], [1, 1, 1, 1, 1], [33, 18, 3, 1, 3]])
  func packingIsUndone(shape: [Int]) {
    let values = (0..<shape.reduce(1, *)).map { Float($0 + 1) }
    let layout = PackedLayout(shape: shape)
    let packed = values.withUnsafeBufferPointer { layout.pack($0) }
    #expect(packed.count == TensorLayout.packed16.elementCount(shape: shape))
    #expect(layout.unpack(packed) == values)
    #expect(packed.filter { $0 == 0 }.count == packed.count - values.count)
  }

  @Test func theSpecificationsExampleHolds() {
    var values = [Float](repeating: 0, count: 60)
    values[17 * 3 + 2] = 1
    let packed = values.withUnsafeBufferPointer { PackedLayout(shape: [20, 3, 1, 1]).pack($0) }
    #expect(packed.firstIndex(of: 1) == 81)
  }
}
