// SPDX-License-Identifier: Apache-2.0
import FileIO
import TestSupport
import Testing

@testable import DICOM

/// Files that are cut off, changed or made to harm end in an error or a result, soon and in little
/// memory.
struct HostileFileTests {
  /// One file of every kind of coding.
  static let names = [
    "ax_ct", "big_endian", "deflated", "enhanced_mr", "implicit", "jpeg_lossless", "nested",
    "no_preamble", "rle",
  ]

  @Test(arguments: names)
  func everyTruncationIsRefused(_ name: String) throws {
    let file = try Self.file(of: name)
    for count in stride(from: 200, to: file.count, by: 7) {
      let part = try #require(file.slice(at: 0, count: count))
      #expect(!Self.isImage(part), "\(count) bytes")
    }
  }

  @Test(arguments: names)
  func mutationsDoNoHarm(_ name: String) throws {
    let original = try Self.file(of: name).array
    var random = Xorshift(state: 0x9E37_79B9_7F4A_7C15)
    let start = ContinuousClock.now
    for _ in 0..<150 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        bytes[index] =
          [0, 0xFF, UInt8.random(in: 0...255, using: &random)].randomElement(
            using: &random) ?? 0
      }
      _ = Self.isImage(Bytes(bytes))
    }
    #expect(ContinuousClock.now - start < .seconds(60))
  }

  @Test func nestingIsLimited() throws {
    // A sequence that holds an item that holds a sequence …, none with a length.
    let level: [UInt8] = [
      0x08, 0x00, 0x40, 0x11, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF,
      0xFF,
    ]
    let file = Self.preamble(syntax: "1.2.840.10008.1.2") + (0..<10_000).flatMap { _ in level }
    expectRefusal(.limit, of: Bytes(file))
  }

  @Test func elementsAreLimited() {
    var file = Self.preamble(syntax: "1.2.840.10008.1.2")
    for number in 0..<210_000 {
      let (group, element) = (9 + 2 * (number >> 16), number & 0xFFFF)
      file += [UInt8(group), 0, UInt8(element & 0xFF), UInt8(element >> 8), 0, 0, 0, 0]
    }
    expectRefusal(.limit, of: Bytes(file))
  }

  @Test func pixelsThatNothingCanHoldAreRefusedBeforeMemoryIsTaken() throws {
    // 65,535 × 65,535 pixels in a few hundred bytes.
    for name in ["rle", "jpeg_lossless", "ax_ct"] {
      var bytes = try Self.file(of: name).array
      for tag: [UInt8] in [[0x28, 0, 0x10, 0], [0x28, 0, 0x11, 0]] {
        let index = try #require(
          bytes.indices.dropLast(10).first { Array(bytes[$0..<$0 + 4]) == tag })
        bytes[index + 8] = 0xFF
        bytes[index + 9] = 0xFF
      }
      expectRefusal(.bytes, of: Bytes(bytes))
    }
  }

  @Test func deflatedDataIsBounded() throws {
    // Of fixed codes: a zero, then copies of 258 bytes in 13 bits each.
    var bits: [UInt8] = [0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    for _ in 0..<500_000 { bits += [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0] }
    let stream = stride(from: 0, to: bits.count - 8, by: 8).map { start in
      (0..<8).reduce(UInt8(0)) { $0 | bits[start + $1] << UInt8($1) }
    }
    expectRefusal(.limit, of: Bytes(Self.preamble(syntax: "1.2.840.10008.1.2.1.99") + stream))
  }

  private func expectRefusal(_ reason: DICOMError.Reason, of bytes: Bytes) {
    let start = ContinuousClock.now
    do throws(DICOMError) {
      guard case .refused(let image) = try ImageFile.content(of: bytes, index: 0) else {
        Issue.record("was read")
        return
      }
      throw image.error
    } catch { #expect(error.reason == reason, "\(error)") }
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  /// The start of a file with nothing but its transfer syntax.
  private static func preamble(syntax uid: String) -> [UInt8] {
    let value = Array(uid.utf8) + (uid.utf8.count % 2 == 1 ? [0] : [])
    return [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + [2, 0, 0x10, 0]
      + Array("UI".utf8) + [UInt8(value.count), 0] + value
  }

  private static func file(of name: String) throws -> Bytes {
    let files = try FolderFiles(StudyFolder("\(ReferenceCase.folder)/\(name)/study"))
    return try #require(try files.map(0)).bytes
  }

  /// Whether all of a file's frames can be read.
  private static func isImage(_ bytes: Bytes) -> Bool {
    do throws(DICOMError) {
      guard case .image(let slices) = try ImageFile.content(of: bytes, index: 0),
        let data = try DICOMFile(bytes)?.bytes
      else { return false }
      for slice in slices {
        let stored = try slice.pixels.stored(in: data)
        #expect(stored.bytes.count >= slice.format.pixelCount * stored.byteCount)
      }
      return true
    } catch { return false }
  }
}

/// A reproducible source of random numbers.
struct Xorshift: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
