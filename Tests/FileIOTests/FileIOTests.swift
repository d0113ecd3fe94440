// SPDX-License-Identifier: Apache-2.0
import FileIO
import Testing

@Suite struct BytesTests {
  @Test func accessOutsideTheRangeIsNil() {
    let bytes = Bytes([1, 2, 3, 4, 5])
    #expect(bytes.littleEndian(UInt32.self, at: 1) == 0x0504_0302)
    #expect(bytes.littleEndian(UInt32.self, at: 2) == nil)
    #expect(bytes.littleEndian(UInt32.self, at: -1) == nil)
    #expect(bytes.littleEndian(UInt32.self, at: Int.max) == nil)
    #expect(bytes.slice(at: 3, count: Int.max) == nil)
    #expect(bytes.slice(at: 5, count: 0)?.count == 0)
    #expect(bytes.byte(at: 5) == nil)
  }
}
