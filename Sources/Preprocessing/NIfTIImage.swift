// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// A NIfTI-1 or NIfTI-2 file (`.nii`, `.nii.gz`) as nnU-Net's readers give it.
package struct NIfTIImage: Sendable {
  /// One volume, or one per entry of the fourth axis: nnU-Net takes those as channels.
  package let volumes: [Volume]
  /// Where its voxels lie.
  package let geometry: ScanGeometry
  /// What a person should look at.
  package let warnings: [ScanWarning]

  /// Reads the file at `path` through bounded buffers.
  ///
  /// - Parameters:
  ///   - reader: whose rules count.
  ///   - orientation: what to turn the image to, where the reader does not do so itself.
  ///   - volumeLimit: the most volumes that the file may have.
  package init(
    contentsOf path: String, reader: ImageReader = .simpleITK,
    turningTo orientation: ScanOrientation? = nil, volumeLimit: Int? = nil
  ) throws(PreprocessingError) {
    try self.init(
      NIfTISource(path: path, reader: reader), turningTo: orientation, volumeLimit: volumeLimit)
  }

  /// Reads a file's bytes; `path` is its name in messages.
  package init(
    bytes: Bytes, path: String, reader: ImageReader = .simpleITK,
    turningTo orientation: ScanOrientation? = nil
  ) throws(PreprocessingError) {
    try self.init(
      NIfTISource(bytes: bytes, path: path, reader: reader), turningTo: orientation,
      volumeLimit: nil)
  }

  /// Reads an open file's voxels; once.
  init(
    _ source: NIfTISource, turningTo wanted: ScanOrientation?, volumeLimit: Int?
  ) throws(PreprocessingError) {
    let (path, reader, stream) = (source.path, source.reader, source.stream)
    let (header, layout) = (source.header, source.layout)
    if let volumeLimit, layout.volumeCount > volumeLimit {
      throw PreprocessingError(
        .format(
          path: path,
          problem:
            "is 4-D with \(layout.volumeCount) volumes (a time series?), which nnU-Net takes as "
            + "channels, but the model takes \(volumeLimit) here — give one volume per channel"))
    }
    try source.skipToVoxels()
    let turning = try source.turning(to: wanted)
    let voxels = VoxelReader(
      dataType: header.dataType, isBigEndian: header.isBigEndian, slope: layout.slope,
      intercept: layout.intercept, isITK: reader.isITK)
    let size = layout.sizes.reduce(1, *)
    var arraySpacing: [Double] = turning.sources.map { layout.spacing[$0] }.reversed()
    // nnU-Net's readers give a 2-D image one very thick slice.
    if layout.isTwoDimensional { arraySpacing[0] = max(arraySpacing[1], arraySpacing[2]) * 999 }
    var volumes: [Volume] = []
    var zeroed = 0
    for _ in 0..<layout.volumeCount {
      let (values, count) = try voxels.read(size, from: stream)
      zeroed += count
      volumes.append(
        try Volume(
          shape: turning.sources.map { layout.sizes[$0] }.reversed(), spacing: arraySpacing,
          values: turning.turned(values, sizes: layout.sizes)))
    }
    // Reading on shows zlib the checksum.
    let rest = HeapBuffer(byteCount: 1)
    _ = try stream.read(into: rest.memory)
    self.volumes = volumes
    geometry = ScanGeometry(
      reader: reader, sizes: layout.sizes, isTwoDimensional: layout.isTwoDimensional,
      spacing: layout.spacing, affine: layout.affine, orientation: layout.orientation,
      turning: turning)
    var warnings = layout.problems.map { ScanWarning.header(path: path, problem: $0) }
    if zeroed > 0 {
      warnings.append(.notFinite(path: path, count: zeroed, total: size * layout.volumeCount))
    }
    if !reader.reorients, !turning.isNone, let from = layout.orientation, let wanted {
      warnings.append(.turned(path: path, from: "\(from)", to: "\(wanted)"))
    }
    self.warnings = warnings
  }

  /// Which way a file's axes run, from its header alone.
  ///
  /// - Throws: `PreprocessingError` where the affine gives no orientation, or where nnU-Net's readers
  ///   take different ones from the header.
  package static func orientation(
    ofFileAt path: String
  ) throws(PreprocessingError) -> ScanOrientation {
    let layout = try NIfTISource(path: path, reader: .simpleITK).layout
    guard let orientation = layout.orientation else {
      throw PreprocessingError(
        .format(path: path, problem: "tells no orientation: \(layout.affine.fault)"))
    }
    let nibabels = try NIfTISource(path: path, reader: .nibabel).layout.orientation
    guard let nibabels, nibabels == orientation else {
      throw PreprocessingError(
        .format(
          path: path,
          problem:
            "lies \(orientation) for SimpleITK and \(nibabels.map { "\($0)" } ?? "nowhere") for nibabel"
        ))
    }
    return orientation
  }
}
