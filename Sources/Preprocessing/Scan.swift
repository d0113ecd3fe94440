// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// A case's channels in order, with what a person should look at.
package struct Scan: Sendable {
  /// One volume per channel.
  package var channels: [Volume]
  /// What a person should know; in order.
  package let warnings: [ScanWarning]
  /// Where the first file's voxels lie.
  package let geometry: ScanGeometry

  /// Gives the channels away, so that preparing them can free them on the way.
  package mutating func takeChannels() -> [Volume] {
    defer { channels = [] }
    return channels
  }
}

extension Scan {
  /// Reads the voxels of a case's files.
  ///
  /// - Parameters:
  ///   - names: of the model's channels.
  ///   - orientation: what to turn the files to, where the reader does not do so itself.
  init(
    files: [NIfTISource], names: [String], turningTo orientation: ScanOrientation?
  ) throws(PreprocessingError) {
    guard let first = files.first else {
      throw PreprocessingError(.channels("the case has no files"))
    }
    var channels: [Volume] = []
    var warnings: [ScanWarning] = []
    var geometries: [ScanGeometry] = []
    for file in files {
      let image = try NIfTIImage(
        file, turningTo: orientation,
        volumeLimit: files.count > names.count ? nil : names.count - files.count + 1)
      channels += image.volumes
      warnings += image.warnings
      geometries.append(image.geometry)
    }
    if let warning = Self.placeWarning(geometries, files: files.map(\.path)) {
      warnings.append(warning)
    }
    if let warning = IntensityLook.warning(channels, path: first.path) {
      warnings.append(warning)
    }
    self.init(channels: channels, warnings: warnings, geometry: geometries[0])
  }

  /// nnU-Net goes on where the files of a case lie apart, and says so.
  private static func placeWarning(_ geometries: [ScanGeometry], files: [String]) -> ScanWarning? {
    let first = geometries[0].arrayAffine
    let index = geometries.indices.first { index in
      geometries[index].sizes == geometries[0].sizes
        && !geometries[index].arrayAffine.isClose(to: first)
    }
    guard let index else { return nil }
    let other = geometries[index].arrayAffine
    let what =
      AllClose.holds(other.offset, first.offset)
      ? "the directions" : other.matrix == first.matrix ? "the origins" : "origins or directions"
    return .channels(
      "channel \(index) (\(DisplayText.quoted(files[index]))) does not lie where channel 0 lies: "
        + "\(what) differ; voxels are taken as they come, so the files should be aligned (registered)"
    )
  }
}
