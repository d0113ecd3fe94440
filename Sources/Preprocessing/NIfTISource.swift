// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// An open NIfTI file whose header has been read, so that what its voxels take is known before they are read.
package struct NIfTISource {
  /// Whose rules count.
  let reader: ImageReader
  let header: NIfTIHeader
  let layout: ScanLayout
  /// Stands behind the header.
  let stream: ScanStream
  /// How many bytes were read for the header.
  private let headerByteCount: Int

  /// The file's name in messages.
  var path: String { stream.path }

  /// Opens the file at `path` and checks its header against its length.
  package init(path: String, reader: ImageReader) throws(PreprocessingError) {
    try self.init(ScanStream(path: path), reader: reader)
  }

  /// A file's bytes; `path` is its name in messages.
  package init(bytes: Bytes, path: String, reader: ImageReader) throws(PreprocessingError) {
    try self.init(ScanStream(path: path, bytes: bytes), reader: reader)
  }

  private init(_ stream: ScanStream, reader: ImageReader) throws(PreprocessingError) {
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
    self.reader = reader
    self.header = header
    self.layout = layout
    self.stream = stream
    headerByteCount = count
  }

  /// The bytes that its voxels take as float32.
  package var byteCount: Int {
    layout.sizes.reduce(MemoryLayout<Float>.stride * layout.volumeCount, *)
  }

  /// The shape `[z, y, x]` that the reader gives its volumes.
  package var shape: [Int] {
    get throws(PreprocessingError) {
      try turning(to: nil).sources.map { layout.sizes[$0] }.reversed()
    }
  }

  /// How its axes are turned: as the reader turns them, else to `wanted`.
  func turning(to wanted: ScanOrientation?) throws(PreprocessingError) -> AxisTurning {
    guard let wanted = reader.reorients ? .ras : wanted else { return .none }
    guard let orientation = layout.orientation else {
      throw PreprocessingError(
        .format(path: path, problem: "cannot be turned to \(wanted): \(layout.affine.fault)"))
    }
    return orientation.turning(to: wanted)
  }

  /// Reads on to the first voxel.
  func skipToVoxels() throws(PreprocessingError) {
    let buffer = HeapBuffer(byteCount: 1 << 16)
    var left = layout.dataOffset - headerByteCount
    while left > 0 {
      let part = UnsafeMutableRawBufferPointer(
        rebasing: buffer.memory[..<min(left, buffer.memory.count)])
      let read = try stream.read(into: part)
      guard read > 0 else {
        throw PreprocessingError(
          .format(path: path, problem: "ends before its voxels — it is cut off"))
      }
      left -= read
    }
  }
}

extension [NIfTISource] {
  /// The bytes that a case's voxels take as float32.
  package var byteCount: Int { reduce(0) { $0 + $1.byteCount } }
}
