// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import SWTFormat
import TestSupport
import Testing

@testable import Preprocessing

/// A previous stage's labels on the next stage's grid, as nnU-Net and batchgenerators have them; many
/// voxels lie exactly between labels. Goldens: `scripts/lib/fixtures/make_sliding_windows.py`.
@Suite struct SegmentationLabelResamplingTests {
  @Test(arguments: ["halves", "smaller", "separate_z", "torch", "torch_separate_z"])
  func isNNUNets(name: String) throws {
    let folder = "\(Fixtures.folder)/segmentation/labels/\(name)"
    let json = try JSONParser.parse(MappedFile(path: "\(folder)/case.json").bytes)
    let labels = try NPYArray(contentsOf: "\(folder)/labels.npy")
    let expected = try NPYArray(contentsOf: "\(folder)/resampled.npy")
    let resampling = try #require(
      try LabelResampling(
        .init(
          function: json["function"]?.string ?? "",
          keywords: json["keywords"]?.object ?? JSONObject()),
        from: labels.shape, to: expected.shape,
        spacing: json["spacing"]?.array?.compactMap(\.double) ?? [],
        newSpacing: json["new_spacing"]?.array?.compactMap(\.double) ?? []))
    for threads in [1, 3] {
      let found = resampling.run(labels.values, threads: threads)
      let differing = zip(found, expected.values).filter { $0 != $1 }.count
      #expect(found.count == expected.values.count && differing == 0)
    }
  }
}
