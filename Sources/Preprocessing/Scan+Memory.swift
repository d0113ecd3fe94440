// SPDX-License-Identifier: Apache-2.0
extension Scan {
  /// Channels in memory, as the reader would give them from a file whose voxels lie like that.
  ///
  /// - Parameters:
  ///   - channels: as they are stored, `[z, y, x]`.
  ///   - rows: of the affine from voxels `(x, y, z)` to mm towards right, anterior and superior: 3 of 4.
  ///   - reader: whose rules count.
  ///   - wanted: what to turn the channels to, where the reader does not do so itself.
  /// - Throws: `PreprocessingError` where an affine that is needed for turning gives no
  ///   orientation.
  package init(
    channels: consuming [Volume], affine rows: [[Double]], reader: ImageReader,
    turningTo wanted: ScanOrientation?
  ) throws(PreprocessingError) {
    guard let first = channels.first else {
      throw PreprocessingError(.channels("the case has no channels"))
    }
    let matrix = Matrix3(rows.map { Array($0.prefix(3)) })
    let orientation =
      reader.isITK
      ? ScanOrientation(directionCosines: matrix.normalized) : ScanOrientation(affine: matrix)
    let affine = Affine(
      matrix: reader.isITK ? matrix.normalized : matrix, offset: rows.map { $0[3] })
    var turning = AxisTurning.none
    if let wanted = reader.reorients ? .ras : wanted {
      guard let orientation else {
        throw PreprocessingError(
          .channels("the scan cannot be turned to \(wanted): \(affine.fault)"))
      }
      turning = orientation.turning(to: wanted)
    }
    let (shape, spacing) = (first.shape, first.spacing)
    for index in channels.indices where !turning.isNone {
      channels[index] = try channels[index].turned(by: turning)
    }
    let warning = IntensityLook.warning(channels, path: nil)
    self.init(
      channels: channels, warnings: warning.map { [$0] } ?? [],
      geometry: ScanGeometry(
        reader: reader, sizes: shape.reversed(), isTwoDimensional: false,
        spacing: spacing.reversed(), affine: affine, orientation: orientation, turning: turning))
  }
}

extension Volume {
  /// The volume with its axes swapped and flipped.
  fileprivate func turned(by turning: AxisTurning) throws(PreprocessingError) -> Volume {
    let (sizes, lengths) = (Array(shape.reversed()), Array(spacing.reversed()))
    return try Volume(
      shape: turning.sources.map { sizes[$0] }.reversed(),
      spacing: turning.sources.map { lengths[$0] }.reversed(),
      values: turning.turned(values, sizes: sizes))
  }
}
