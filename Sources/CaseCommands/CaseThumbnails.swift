// SPDX-License-Identifier: Apache-2.0
package import Pipeline
package import Preprocessing
package import Report
internal import SWTFormat

/// Small pictures of cases for pages. Voxels of a case that has run are gone by then, so that it is read again.
package struct CaseThumbnails: Sendable {
  /// Of a picture, in pixels.
  package static let side = 96
  private let reader: CaseReader
  /// Whether scans are shown in a soft-tissue window.
  package let isCT: Bool

  package init(_ reader: CaseReader) {
    self.reader = reader
    isCT = reader.model.preprocessing.channels.first?.normalizationScheme == "CTNormalization"
  }

  /// The first channel of a scan; `nil` of what is none.
  package func picture(of entry: CaseList.Entry) throws(PipelineError) -> Picture? {
    guard entry.isArray == false else { return nil }
    let scan = try reader.read(entry)
    return scan.channels.first.map { channel in
      OrientedVolume(channel, scan.place).thumbnail(side: Self.side, isCT: isCT)
    }
  }
}

extension OrientedVolume {
  /// A channel as it was read.
  package init(_ channel: Volume, _ place: ScanGeometry?) {
    let orientation = place?.arrayOrientation
    self.init(
      shape: channel.shape, spacing: channel.spacing,
      directions: orientation.map { Array($0.letters.reversed()) }
        ?? OrientedVolume.assumedDirections,
      isOriented: orientation != nil, values: channel.values[...])
  }
}
