// SPDX-License-Identifier: Apache-2.0
import FileIO
import TestSupport
import Testing

@testable import Pipeline

/// Components and `postprocessing.json`.
@Suite struct SegmentationPostprocessingTests {
  /// Labels drawn as text: a line per y, slices apart by `/`.
  private func volume(_ text: String) -> (labels: [UInt16], shape: [Int]) {
    let slices = text.split(separator: "/").map { $0.split(separator: " ") }
    return (
      slices.joined().joined().compactMap { UInt16(String($0)) },
      [slices.count, slices[0].count, slices[0][0].count]
    )
  }

  private func components(_ text: String) -> [UInt16: Int] {
    let (labels, shape) = volume(text)
    return ConnectedComponents.counts(of: labels, shape: shape, classOf: [0, 1, 2])
  }

  @Test(arguments: [
    // Corners of a plane and of the volume touch.
    ("10 01", [UInt16(1): 1]), ("100 000 001", [1: 2]), ("10 00 / 00 01", [1: 1]),
    ("01 00 / 00 10", [1: 1]), ("10 00 / 00 00 / 00 01", [1: 2]),
    // Rows beyond the neighbours, and other classes, do not.
    ("11 00 11", [1: 2]), ("12 21", [1: 1, 2: 1]), ("1211", [1: 2, 2: 1]), ("00 00", [:]),
    // A comb is one component only at its back.
    ("10101 10101 11111", [1: 1]), ("111 101 111 / 000 010 000", [1: 1]),
    // Legs that were apart in planes before join in the last one, and twice only once.
    ("101 / 101 / 111", [1: 1]), ("111 / 101 / 101", [1: 1]), ("111 / 101 / 111", [1: 1]),
    ("10201 / 10201 / 10001 / 11111", [1: 1, 2: 1]),
    // A label beyond the classes counts for none.
    ("131", [1: 2]),
  ])
  func componentsTouchAtCorners(text: String, counts: [UInt16: Int]) {
    #expect(components(text) == counts)
  }

  private func processed(_ json: String, _ text: String) throws -> [UInt16] {
    let folder = try TemporaryFolder()
    let path = folder.file("postprocessing.json")
    var file = try AtomicFile(path: path, replacing: false)
    try file.write(Array(json.utf8))
    try file.commit()
    var (labels, shape) = volume(text)
    try Postprocessing(contentsOf: path).apply(to: &labels, shape: shape)
    return labels
  }

  private func json(_ labels: String...) -> String {
    let name = "\"remove_all_but_largest_component_from_segmentation\""
    return "{\"postprocessing_fns\": [\(labels.map { _ in name }.joined(separator: ", "))], "
      + "\"postprocessing_kwargs\": ["
      + labels.map { "{\"labels_or_regions\": \($0)}" }.joined(separator: ", ") + "]}"
  }

  @Test func keepsTheLargestOfEveryStep() throws {
    // Foreground together, then label 2 alone.
    #expect(try processed(json("[1, 2]"), "1120110") == [1, 1, 2, 0, 0, 0, 0])
    #expect(try processed(json("[[1, 2]]"), "1120110") == [1, 1, 2, 0, 0, 0, 0])
    #expect(try processed(json("[1, 2]", "2"), "2212011") == [2, 2, 1, 0, 0, 0, 0])
    #expect(try processed(json(), "101") == [1, 0, 1])
  }

  @Test func equallyLargeComponentsAllStay() throws {
    #expect(try processed(json("1"), "110110100") == [1, 1, 0, 1, 1, 0, 0, 0, 0])
  }

  @Test func aLabelThatIsNotThereChangesNothing() throws {
    #expect(try processed(json("7"), "1201") == [1, 2, 0, 1])
  }

  @Test(arguments: [
    "", "[]", "{}", "{\"postprocessing_fns\": [\"f\"], \"postprocessing_kwargs\": [{}]}",
    "{\"postprocessing_fns\": [], \"postprocessing_kwargs\": [{}]}",
    "{\"postprocessing_fns\": [\"remove_all_but_largest_component_from_segmentation\"], "
      + "\"postprocessing_kwargs\": [{\"labels_or_regions\": [1, \"2\"]}]}",
    "{\"postprocessing_fns\": [\"remove_all_but_largest_component_from_segmentation\"], "
      + "\"postprocessing_kwargs\": [{\"labels_or_regions\": -1}]}",
  ])
  func refusesOtherFiles(json: String) {
    #expect(throws: PipelineError.self) { try processed(json, "1") }
  }
}
