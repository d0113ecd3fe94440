internal import FileIO

/// Turns a file's numbers into float32 voxels, a piece at a time.
struct VoxelReader {
  let header: NIfTIHeader
  let path: String

  func read(_ count: Int, from stream: ScanStream) throws(PreprocessingError) -> [Float] {
    let width = header.dataType.byteCount
    let buffer = HeapBuffer(byteCount: min(count, 1 << 17) * width)
    var values: [Float] = []
    values.reserveCapacity(count)
    while values.count < count {
      let wanted = min(count - values.count, 1 << 17)
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer.memory[..<(wanted * width)])
      guard try stream.read(into: part) == part.count else {
        throw .format(
          path: path,
          problem: "ends after \(values.count) of \(count) voxels of a volume — it is cut off")
      }
      append(UnsafeRawBufferPointer(part), to: &values)
    }
    return values
  }

  private func append(_ raw: UnsafeRawBufferPointer, to values: inout [Float]) {
    switch header.dataType {
    case .uint8: integers(UInt8.self, raw, &values)
    case .int8: integers(Int8.self, raw, &values)
    case .uint16: integers(UInt16.self, raw, &values)
    case .int16: integers(Int16.self, raw, &values)
    case .uint32: integers(UInt32.self, raw, &values)
    case .int32: integers(Int32.self, raw, &values)
    case .uint64: integers(UInt64.self, raw, &values)
    case .int64: integers(Int64.self, raw, &values)
    case .float32:
      bits(UInt32.self, raw) { values.append(scaled(Double(Float(bitPattern: $0)))) }
    case .float64: bits(UInt64.self, raw) { values.append(scaled(Double(bitPattern: $0))) }
    }
  }

  private func integers<I: FixedWidthInteger & BitwiseCopyable>(
    _ type: I.Type, _ raw: UnsafeRawBufferPointer, _ values: inout [Float]
  ) {
    if header.slope == 1, header.intercept == 0 {
      bits(type, raw) { values.append(Float($0)) }
    } else {
      bits(type, raw) { values.append(scaled(Double($0))) }
    }
  }

  private func bits<I: FixedWidthInteger & BitwiseCopyable>(
    _ type: I.Type, _ raw: UnsafeRawBufferPointer, _ body: (I) -> Void
  ) {
    let width = MemoryLayout<I>.size
    for index in 0..<raw.count / width {
      let value = raw.loadUnaligned(fromByteOffset: index * width, as: type)
      body(header.isBigEndian ? I(bigEndian: value) : I(littleEndian: value))
    }
  }

  private func scaled(_ value: Double) -> Float { Float(value * header.slope + header.intercept) }
}
