package import FileIO

/// A NIfTI-1 or NIfTI-2 file (`.nii`, `.nii.gz`) as nnU-Net's readers give it.
package struct NIfTIImage: Sendable {
  /// One volume, or one per entry of the fourth axis: nnU-Net takes those as channels.
  package let volumes: [Volume]
  /// What a person should look at, one line each.
  package let warnings: [String]

  /// Reads the file at `path`.
  ///
  /// Voxels are `slope · raw + intercept` in double, then float32. Only the readers that reorient
  /// use direction; with the others a warning tells where axes are swapped, flipped or oblique.
  package init(
    contentsOf path: String, reader: ImageReader = .simpleITK
  ) throws(PreprocessingError) {
    try self.init(bytes: Self.map(path).bytes, path: path, reader: reader)
  }

  /// The bytes that a file's voxels take as float32, from its header alone.
  package static func byteCount(ofFileAt path: String) throws(PreprocessingError) -> Int {
    let header = try header(of: ScanStream(path: path, bytes: map(path).bytes), path: path).header
    return header.sizes.reduce(MemoryLayout<Float>.stride, *)
  }

  private static func map(_ path: String) throws(PreprocessingError) -> MappedFile {
    do throws(FileError) { return try MappedFile(path: path) } catch { throw .file(error) }
  }

  /// The header, checked against the file's length, and how many bytes were read for it.
  private static func header(
    of stream: ScanStream, path: String
  ) throws(PreprocessingError) -> (header: NIfTIHeader, byteCount: Int) {
    let start = HeapBuffer(byteCount: NIfTIHeader.largestByteCount)
    // A file may be shorter than a NIfTI-2 header and its extension flag; the header tells.
    let count = try stream.read(
      into: UnsafeMutableRawBufferPointer(rebasing: start.memory[..<352]))
    var headerCount = count
    if start.bytes.littleEndian(Int32.self, at: 0).map({ $0 == 540 || $0.byteSwapped == 540 })
      == true, count == 352
    {
      headerCount += try stream.read(
        into: UnsafeMutableRawBufferPointer(rebasing: start.memory[352...]))
    }
    let header = try NIfTIHeader(
      start.bytes.slice(at: 0, count: headerCount) ?? start.bytes, path: path)
    let voxels = header.sizes.reduce(1.0) { $0 * Double($1) }
    let needed = Double(header.dataOffset) + voxels * Double(header.dataType.byteCount)
    guard needed <= Double(stream.largestCount), voxels < 1e10 else {
      throw .format(
        path: path,
        problem: "declares \(header.sizes) voxels, more than the file can hold — is it cut off?")
    }
    return (header, headerCount)
  }

  /// Reads a file's bytes; `path` is its name in messages.
  package init(
    bytes: Bytes, path: String, reader: ImageReader = .simpleITK
  ) throws(PreprocessingError) {
    let stream = try ScanStream(path: path, bytes: bytes)
    let (header, headerCount) = try Self.header(of: stream, path: path)
    try Self.skip(header.dataOffset - headerCount, in: stream, path: path)
    let size = header.sizes[0] * header.sizes[1] * header.sizes[2]
    let spacing = header.spacing.map { reader.honoursUnits ? $0 * header.unit : $0 }
    let orientation = AxisOrientation(
      affine: header.affine ?? reader.affineWithoutForm(spacing: spacing))
    let axes = reader.reorients ? orientation.axes : [0, 1, 2]
    var arraySpacing: [Double] = axes.map { spacing[$0] }.reversed()
    // nnU-Net's readers give a 2-D image one very thick slice.
    if header.isTwoDimensional { arraySpacing[0] = max(arraySpacing[1], arraySpacing[2]) * 999 }
    let voxels = VoxelReader(header: header, path: path)
    var volumes: [Volume] = []
    for _ in 0..<header.sizes[3] {
      let values = try voxels.read(size, from: stream)
      volumes.append(
        try Volume(
          shape: axes.map { header.sizes[$0] }.reversed(), spacing: arraySpacing,
          values: reader.reorients ? orientation.turned(values, sizes: header.sizes) : values))
    }
    // Reading on shows zlib the checksum.
    let rest = HeapBuffer(byteCount: 1)
    _ = try stream.read(into: rest.memory)
    self.volumes = volumes
    warnings =
      header.affine == nil || reader.reorients
      ? [] : Self.warnings(orientation, path: path)
  }

  private static func skip(
    _ count: Int, in stream: ScanStream, path: String
  ) throws(PreprocessingError) {
    let buffer = HeapBuffer(byteCount: 1 << 16)
    var left = count
    while left > 0 {
      let part = UnsafeMutableRawBufferPointer(
        rebasing: buffer.memory[..<min(left, buffer.memory.count)])
      let read = try stream.read(into: part)
      guard read > 0 else { throw .format(path: path, problem: "ends before its voxels") }
      left -= read
    }
  }

  private static func warnings(_ orientation: AxisOrientation, path: String) -> [String] {
    var problems: [String] = []
    if orientation.axes != [0, 1, 2] { problems.append("swapped") }
    if orientation.isFlipped.contains(true) { problems.append("flipped") }
    if orientation.alignment.contains(where: { $0 < 0.99 }) { problems.append("oblique") }
    guard !problems.isEmpty else { return [] }
    return [
      "\(DisplayText.quoted(path)): its axes are \(problems.joined(separator: " and ")) against "
        + "right-anterior-superior; nnU-Net ignores direction, so scans should lie as those trained on"
    ]
  }
}
