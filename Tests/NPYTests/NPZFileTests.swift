// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import PickleReader
import TestSupport
import Testing

@Suite struct NPZFileTests {
  /// Read by the strict reader of checkpoints, which checks sizes and checksum.
  @Test(arguments: [1, 3])
  func isAZipOfOneArray(threads: Int) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("p.npz")
    let values = (0..<300_000).map { Float($0 % 1000) / 7 }
    var file = try NPZFile(
      path: path, name: "probabilities", shape: [3, 100_000], threads: threads)
    for range in [0..<100_000, 100_000..<300_000] {
      try file.write(Array(values[range]))
    }
    #expect(folder.content.filter { !$0.hasPrefix(".") } == [])
    try file.commit()
    let archive = try ZipArchive(MappedFile(path: path).bytes)
    #expect(archive.entries.map(\.name) == ["probabilities.npy"])
    let entry = try #require(archive.entries.first)
    #expect(entry.isDeflated && entry.compressedCount < entry.count / 2)
    let array = try NPYArray(bytes: archive.content(of: entry))
    #expect(array == NPYArray(shape: [3, 100_000], values: values))
  }
}
