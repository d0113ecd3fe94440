// SPDX-License-Identifier: Apache-2.0
import FileIO
import PickleReader
import TestSupport
import Testing

@Suite struct CheckpointTests {
  static func path(_ name: String) throws -> String {
    try Fixtures.checkpoint(in: name)
  }

  @Test(arguments: Fixtures.checkpointNames)
  func holdsTheNineKeysOfNNUNet(name: String) throws {
    let file = try TorchFile(MappedFile(path: Self.path(name)).bytes)
    let keys = file.root.entries.compactMap { $0.key.string }
    #expect(
      keys == [
        "network_weights", "optimizer_state", "grad_scaler_state", "logging", "_best_ema",
        "current_epoch", "init_args", "trainer_name", "inference_allowed_mirroring_axes",
      ])
    let weights = try #require(file.root["network_weights"])
    #expect(weights.entries.count > 30)
    for entry in weights.entries {
      let tensor = try #require(entry.value.tensor)
      #expect(
        try tensor.rowMajorBytes().count == tensor.elementCount * tensor.elementType.byteCount)
    }
  }

  @Test func aFileCutAnywhereIsRefused() throws {
    let whole = try MappedFile(
      path: "\(Fixtures.folder)/checkpoints/plain3d__v2.8__float32/head.pth"
    ).bytes
    for count in 0..<whole.count {
      let part = try #require(whole.slice(at: 0, count: count))
      #expect(throws: PickleError.self) { try TorchFile(part) }
    }
  }

  @Test func aFlippedBitInAStorageIsFound() throws {
    let path = "\(Fixtures.folder)/checkpoints/plain3d__v2.8__float32/head.pth"
    var bytes = try MappedFile(path: path).bytes.array
    let archive = try ZipArchive(Bytes(bytes))
    let storage = try #require(archive.entries.first { $0.name.hasSuffix("data/0") })
    bytes[storage.dataOffset + 5] ^= 4
    let tensor = try #require(TorchFile(Bytes(bytes)).root.entries.first?.value.tensor)
    #expect(throws: PickleError.checksum(entry: storage.name)) { try tensor.values() }
  }
}
