// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import TestSupport
import Testing

/// Texts as numpy.savez stores them.
@Suite struct NPYTextTests {
  private func file(_ descriptor: String, _ codes: [UInt32]) -> Bytes {
    var header = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (), }"
    header += String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0]
    let data = codes.flatMap { code in (0..<4).map { UInt8(code >> (8 * $0) & 0xFF) } }
    return Bytes(start + Array(header.utf8) + data)
  }

  @Test func readsPaddedText() throws {
    #expect(try NPYText.read(file("<U4", [0x61, 0x1F9E0, 0x62, 0])) == "a🧠b")
    #expect(try NPYText.read(file("<U0", [])) == "")
  }

  @Test(arguments: [
    ("<U2", [UInt32(0x61)]), ("<U1", [0xD800]), ("<U99999999", []), ("<f4", [0]), ("<U-1", []),
  ])
  func refusesWhatIsNoText(descriptor: String, codes: [UInt32]) {
    #expect(throws: NPYError.self) { try NPYText.read(file(descriptor, codes)) }
  }
}

@Suite struct NPYArrayTests {
  private func file(_ header: String, _ data: [UInt8]) -> Bytes {
    let text = Array(header.utf8) + [0x0A]
    return Bytes(
      [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.count & 255), UInt8(text.count >> 8)] + text
        + data)
  }

  @Test(arguments: [[], [3], [2, 3], [1, 2, 3, 4]])
  func comesBackAsItWasWritten(shape: [Int]) throws {
    let folder = try TemporaryFolder()
    let array = NPYArray(shape: shape, values: (0..<shape.reduce(1, *)).map { Float($0) - 1.5 })
    try array.write(to: folder.file("a.npy"))
    #expect(try NPYArray(contentsOf: folder.file("a.npy")) == array)
    #expect(folder.content == ["a.npy"])
  }

  @Test func readsFortranOrder() throws {
    let values: [Float] = [1, 4, 2, 5, 3, 6]
    let bytes = values.withUnsafeBytes { Array($0) }
    let array = try NPYArray(
      bytes: file("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", bytes))
    #expect(array.values == [1, 2, 3, 4, 5, 6])
  }

  @Test(arguments: [
    ("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", "float32"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "bytes of data"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9), }", "overflows"),
    ("{'descr': '<f4', 'fortran_order': False, }", "lacks one of"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x", "goes on"),
    ("{'descr': '<f4', 'descr': '<f4', 'shape': (1,), }", "twice"),
    ("{'descr': '<f4', 'fortran_order': maybe, 'shape': (1,), }", "lacks"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "bad size"),
  ])
  func refusesWhatNumPyDoesNotWrite(header: String, word: String) throws {
    let error = #expect(throws: NPYError.self) { try NPYArray(bytes: file(header, [0, 0, 0, 0])) }
    #expect(error.map { "\($0)".contains(word) } == true)
  }

  @Test func refusesAFileCutAnywhere() throws {
    let whole = NPYArray.header(shape: [2]) + [UInt8](repeating: 0, count: 8)
    for count in whole.indices {
      #expect(throws: NPYError.self) { try NPYArray(bytes: Bytes(Array(whole[..<count]))) }
    }
  }
}
