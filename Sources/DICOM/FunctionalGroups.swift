// SPDX-License-Identifier: Apache-2.0
/// Where a multi-frame image keeps what a single-frame one has in its data set; see PS3.3, C.7.6.16.
struct FunctionalGroups {
  private let dataSet: DataSet
  private let shared: DataSet?
  private let perFrame: [DataSet]?

  init(_ dataSet: DataSet, frameCount: Int) throws(DICOMError) {
    self.dataSet = dataSet
    shared = dataSet.items(.sharedGroups)?.first
    perFrame = dataSet.items(.perFrameGroups)
    if let perFrame {
      guard perFrame.count == frameCount else {
        throw DICOMError(
          .geometry, "describes \(perFrame.count) frames but has \(frameCount)")
      }
    } else if frameCount > 1 {
      throw DICOMError(.geometry, "has \(frameCount) frames but no position for each")
    }
  }

  /// A frame's item of a group: its own, else the shared one; the data set where there are no groups.
  func group(_ tag: DICOMTag, frame: Int) -> DataSet {
    guard let perFrame else { return shared?.items(tag)?.first ?? dataSet }
    return perFrame[frame].items(tag)?.first ?? shared?.items(tag)?.first ?? DataSet()
  }
}
