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
      ScanStream(path: path), reader: reader, turningTo: orientation, volumeLimit: volumeLimit)
  }

  /// Reads a file's bytes; `path` is its name in messages.
  package init(
    bytes: Bytes, path: String, reader: ImageReader = .simpleITK,
    turningTo orientation: ScanOrientation? = nil
  ) throws(PreprocessingError) {
    try self.init(
      ScanStream(path: path, bytes: bytes), reader: reader, turningTo: orientation, volumeLimit: nil
    )
  }

  private init(
    _ stream: ScanStream, reader: ImageReader, turningTo wanted: ScanOrientation?,
    volumeLimit: Int?
  ) throws(PreprocessingError) {
    let path = stream.path
    let (header, layout, headerCount) = try Self.header(of: stream, reader: reader)
    if let volumeLimit, layout.volumeCount > volumeLimit {
      throw PreprocessingError(
        .format(
          path: path,
          problem:
            "is 4-D with \(layout.volumeCount) volumes (a time series?), which nnU-Net takes as "
            + "channels, but the model takes \(volumeLimit) here — give one volume per channel"))
    }
    try Self.skip(layout.dataOffset - headerCount, in: stream)
    let turning = try Self.turning(layout, to: reader.reorients ? .ras : wanted, path: path)
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

  /// The bytes that a file's voxels take as float32, from its header alone.
  package static func byteCount(
    ofFileAt path: String, reader: ImageReader
  ) throws(PreprocessingError) -> Int {
    let layout = try header(of: ScanStream(path: path), reader: reader).layout
    return layout.sizes.reduce(MemoryLayout<Float>.stride * layout.volumeCount, *)
  }

  /// The shape `[z, y, x]` that the reader gives a file's volumes, from its header alone.
  package static func shape(
    ofFileAt path: String, reader: ImageReader
  ) throws(PreprocessingError) -> [Int] {
    let layout = try header(of: ScanStream(path: path), reader: reader).layout
    let turning = try turning(layout, to: reader.reorients ? .ras : nil, path: path)
    return turning.sources.map { layout.sizes[$0] }.reversed()
  }

  /// Which way a file's axes run, from its header alone.
  ///
  /// - Throws: `PreprocessingError` where the affine gives no orientation, or where nnU-Net's readers
  ///   take different ones from the header.
  package static func orientation(
    ofFileAt path: String
  ) throws(PreprocessingError) -> ScanOrientation {
    let layout = try header(of: ScanStream(path: path), reader: .simpleITK).layout
    guard let orientation = layout.orientation else {
      throw PreprocessingError(
        .format(path: path, problem: "tells no orientation: \(layout.affine.fault)"))
    }
    let nibabels = try header(of: ScanStream(path: path), reader: .nibabel).layout.orientation
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

  /// The header, checked against the file's length, and how many bytes were read for it.
  private static func header(
    of stream: ScanStream, reader: ImageReader
  ) throws(PreprocessingError) -> (header: NIfTIHeader, layout: ScanLayout, byteCount: Int) {
    let start = HeapBuffer(byteCount: NIfTIHeader.largestByteCount)
    func read(_ range: Range<Int>) throws(PreprocessingError) -> Int {
      try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: start.memory[range]))
    }
    var count = try read(0..<NIfTIHeader.firstByteCount)
    if count == NIfTIHeader.firstByteCount, NIfTIHeader.isSecond(start.bytes) {
      count += try read(NIfTIHeader.firstByteCount..<NIfTIHeader.largestByteCount)
    }
    let header = try NIfTIHeader(
      start.bytes.slice(at: 0, count: count) ?? start.bytes, path: stream.path)
    let layout = try ScanLayout(header, reader: reader, path: stream.path)
    let voxels = layout.sizes.reduce(Double(layout.volumeCount)) { $0 * Double($1) }
    let needed = Double(layout.dataOffset) + voxels * Double(header.dataType.byteCount)
    guard needed <= Double(stream.largestCount), voxels < 1e10 else {
      throw PreprocessingError(
        .format(
          path: stream.path,
          problem: "declares \(layout.sizes) voxels, more than the file can hold — is it cut off?"))
    }
    return (header, layout, count)
  }

  private static func skip(_ count: Int, in stream: ScanStream) throws(PreprocessingError) {
    let buffer = HeapBuffer(byteCount: 1 << 16)
    var left = count
    while left > 0 {
      let part = UnsafeMutableRawBufferPointer(
        rebasing: buffer.memory[..<min(left, buffer.memory.count)])
      let read = try stream.read(into: part)
      guard read > 0 else {
        throw PreprocessingError(
          .format(path: stream.path, problem: "ends before its voxels — it is cut off"))
      }
      left -= read
    }
  }

  private static func turning(
    _ layout: ScanLayout, to wanted: ScanOrientation?, path: String
  ) throws(PreprocessingError) -> AxisTurning {
    guard let wanted else { return .none }
    guard let orientation = layout.orientation else {
      throw PreprocessingError(
        .format(path: path, problem: "cannot be turned to \(wanted): \(layout.affine.fault)"))
    }
    return orientation.turning(to: wanted)
  }
}
