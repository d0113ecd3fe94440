// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// Writes label images and maps on a scan's grid, as the reader that the plans name writes
/// segmentations: one NIfTI-1 file, gzipped where its name ends in `.gz`.
package struct NIfTIWriter: Sendable {
  private let geometry: ScanGeometry
  private let header: OutputHeader
  private let threads: Int

  /// - Parameters:
  ///   - geometry: of the scan; `Scan.geometry`.
  ///   - threads: how many threads compress.
  /// - Throws: `PreprocessingError` where the scan's affine cannot be written.
  package init(geometry: ScanGeometry, threads: Int = 1) throws(PreprocessingError) {
    self.geometry = geometry
    self.threads = threads
    header = try OutputHeader(geometry)
  }

  /// Writes labels: uint8 where they are below 255, and uint16 otherwise; `SimpleITKIOWithReorient`
  /// keeps the low eight bits, as in nnU-Net.
  ///
  /// - Parameters:
  ///   - labels: `[z, y, x]` of the array that the reader gave, `geometry.shape`.
  ///   - path: what to write, replacing what is there.
  ///   - inputs: files that must not be replaced.
  package func write<Label: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    labels: [Label], to path: String, inputs: [MappedFile.Identity] = []
  ) throws(FileError) {
    if geometry.reader == .simpleITKWithReorient || labels.max() ?? 0 < 255 {
      try write(labels, as: .uint8, to: path, inputs: inputs) { UInt8(truncatingIfNeeded: $0) }
    } else {
      try write(labels, as: .uint16, to: path, inputs: inputs) { UInt16(truncatingIfNeeded: $0) }
    }
  }

  /// Writes float32 values.
  ///
  /// - Parameter map: `[z, y, x]` of the array that the reader gave, `geometry.shape`.
  package func write(
    map: [Float], to path: String, inputs: [MappedFile.Identity] = []
  ) throws(FileError) {
    try write(map, as: .float32, to: path, inputs: inputs) { $0 }
  }

  private func write<Value, Stored: BitwiseCopyable>(
    _ values: [Value], as dataType: NIfTIHeader.DataType, to path: String,
    inputs: [MappedFile.Identity], _ stored: (Value) -> Stored
  ) throws(FileError) {
    precondition(values.count == geometry.shape.reduce(1, *), "not the shape of the scan")
    let start = header.bytes(dataType: dataType)
    let content = HeapBuffer(byteCount: start.count + values.count * MemoryLayout<Stored>.stride)
    content.memory.copyBytes(from: start)
    let voxels = UnsafeMutableRawBufferPointer(rebasing: content.memory[start.count...])
    geometry.turning.inverse.turn(
      values, sizes: geometry.shape.reversed(), into: voxels.bindMemory(to: Stored.self), stored)
    var file = try AtomicFile(path: path, replacing: true, inputs: inputs)
    if path.hasSuffix(".gz") {
      try ParallelGzip.write(content.bytes, to: &file, threads: threads)
    } else {
      try content.bytes.withUnsafeBytes { (bytes) throws(FileError) in try file.write(bytes) }
    }
    try file.commit()
  }
}
