// SPDX-License-Identifier: Apache-2.0
import FileIO
import PickleReader
import TestSupport
import Testing

/// Ten thousand damaged files from a fixed seed: each is read or refused, none crashes or hangs.
@Suite struct MutationTests {
  /// A linear congruential generator: the same mutants on every machine.
  struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 33
    }
  }

  /// Values that parsers trip over.
  private static let specials: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, 0x2E, 0x28, 0x52]

  private static func mutate(_ original: [UInt8], _ generator: inout Generator) -> [UInt8] {
    var bytes = original
    for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
      let position = Int.random(in: 0..<bytes.count, using: &generator)
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
      case 1: bytes[position] = specials.randomElement(using: &generator) ?? 0
      case 2: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 3: bytes.removeSubrange(position..<min(bytes.count, position + 4))
      case 4: bytes.insert(contentsOf: bytes[position..<min(bytes.count, position + 8)], at: 0)
      default:
        for offset in position..<min(bytes.count, position + 8) { bytes[offset] = 0xFF }
      }
    }
    return bytes
  }

  /// Reads as much of a file as a conversion would.
  private static func read(_ bytes: Bytes) -> Bool {
    do throws(PickleError) {
      switch FileKind.sniff(bytes) {
      case .barePickle: _ = try TorchFile.plainPickle(bytes).root.entries
      default:
        let file = try TorchFile(bytes, toleratingUnknownObjects: true)
        let weights = file.root["network_weights"] ?? file.root
        for entry in weights.entries.prefix(100) {
          guard let tensor = entry.value.tensor, tensor.elementCount < 1 << 16 else { continue }
          _ = try tensor.rowMajorBytes()
        }
      }
      return true
    } catch {
      #expect(!"\(error)".isEmpty)
      return false
    }
  }

  private static func samples() throws -> [[UInt8]] {
    let hostile = "\(Fixtures.folder)/hostile"
    var paths = [
      "zip_as_torch", "zip_deflated", "zip_no_zip64", "legacy_as_torch", "legacy_protocol_4",
      "pickle_protocol_2", "pickle_protocol_5", "value_numpy_arrays_2", "value_numpy_arrays_4",
      "value_collections_4", "tensor_v3_f32", "tensor_channels_last",
    ].map { "\(hostile)/\($0).pth" }
    for name in ["plain3d__v2.8__float32", "plain3d__legacy-format__float32"] {
      paths.append("\(Fixtures.folder)/checkpoints/\(name)/head.pth")
    }
    var samples = try paths.map { try MappedFile(path: $0).bytes.array }
    // The pickle alone too: behind a zip entry's CRC-32 hardly a mutant reaches the machine.
    for path in paths {
      let bytes = try MappedFile(path: path).bytes
      guard FileKind.sniff(bytes) == .zip else { continue }
      let archive = try ZipArchive(bytes)
      let pickle = try #require(archive.entries.first { $0.name.hasSuffix("data.pkl") })
      samples.append(try archive.content(of: pickle).array)
    }
    return samples
  }

  @Test func tenThousandMutantsAreReadOrRefused() throws {
    let samples = try Self.samples()
    var generator = Generator(state: 2026)
    var readable = 0
    for count in 0..<10_000 {
      let mutant = Self.mutate(samples[count % samples.count], &generator)
      if Self.read(Bytes(mutant)) { readable += 1 }
    }
    // Most damage is noticed; some of it lands where it makes no difference.
    #expect((1..<5_000).contains(readable), "\(readable)")
  }
}
