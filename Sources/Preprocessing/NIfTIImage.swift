package import FileIO

/// A NIfTI-1 or NIfTI-2 file (`.nii`, `.nii.gz`) as nnU-Net's readers give it.
public struct NIfTIImage: Sendable {
  /// One volume, or one per entry of the fourth axis: nnU-Net takes those as channels.
  public let volumes: [Volume]
  /// What a person should look at, one line each.
  public let warnings: [String]

  /// Reads the file at `path`.
  ///
  /// Voxels are `slope · raw + intercept` in double, then float32. Direction is not used, as in
  /// nnU-Net; a warning tells where axes are flipped or oblique.
  public init(contentsOf path: String) throws(PreprocessingError) {
    let file: MappedFile
    do throws(FileError) { file = try MappedFile(path: path) } catch {
      let cannotOpen =
        switch error {
        case .cannotOpen, .notARegularFile: true
        default: false
        }
      throw .file(message: "\(error)", cannotOpen: cannotOpen)
    }
    try self.init(bytes: file.bytes, path: path)
  }

  /// Reads a file's bytes; `path` is its name in messages.
  package init(bytes: Bytes, path: String) throws(PreprocessingError) {
    let stream = try ScanStream(path: path, bytes: bytes)
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
    try Self.skip(header.dataOffset - headerCount, in: stream, path: path)
    let size = header.sizes[0] * header.sizes[1] * header.sizes[2]
    let shape = [header.sizes[2], header.sizes[1], header.sizes[0]]
    var spacing: [Double] = header.spacing.reversed()
    // nnU-Net's readers give a 2-D image one very thick slice.
    if header.isTwoDimensional { spacing[0] = max(spacing[1], spacing[2]) * 999 }
    let reader = VoxelReader(header: header, path: path)
    var volumes: [Volume] = []
    for _ in 0..<header.sizes[3] {
      volumes.append(
        try Volume(
          shape: shape, spacing: spacing, values: try reader.read(size, from: stream)))
    }
    // Reading on shows zlib the checksum.
    _ = try stream.read(into: start.memory)
    self.volumes = volumes
    warnings = Self.warnings(header, path: path)
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

  private static func warnings(_ header: NIfTIHeader, path: String) -> [String] {
    guard let affine = header.affine else { return [] }
    var warnings: [String] = []
    let name = DisplayText.quoted(path)
    for column in 0..<3 {
      let length = affine.reduce(0) { $0 + $1[column] * $1[column] }.squareRoot()
      guard length > 0 else { continue }
      let main = abs(affine[column][column]) / length
      if main < 0.99 {
        warnings.append("\(name): axis \(column) is oblique or swapped; nnU-Net ignores direction")
      } else if affine[column][column] < 0 {
        warnings.append("\(name): axis \(column) is flipped; nnU-Net ignores direction")
      }
    }
    return warnings
  }
}
