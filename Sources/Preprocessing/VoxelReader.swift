internal import FileIO

/// Turns a file's numbers into float32 voxels, a piece at a time.
struct VoxelReader {
  let header: NIfTIHeader
  let path: String

  func read(_ count: Int, from stream: ScanStream) throws(PreprocessingError) -> [Float] {
    let width = header.dataType.byteCount
    let piece = min(count, 1 << 17)
    let buffer = HeapBuffer(byteCount: piece * width)
    var failure: PreprocessingError?
    let values = [Float](unsafeUninitializedCapacity: count) { values, done in
      do throws(PreprocessingError) {
        while done < count {
          let wanted = min(count - done, piece)
          let part = UnsafeMutableRawBufferPointer(rebasing: buffer.memory[..<(wanted * width)])
          guard try stream.read(into: part) == part.count else {
            throw .format(
              path: path,
              problem: "ends after \(done) of \(count) voxels of a volume — it is cut off")
          }
          convert(
            UnsafeRawBufferPointer(part),
            into: UnsafeMutableBufferPointer(rebasing: values[done..<done + wanted]))
          done += wanted
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
    return values
  }

  private func convert(
    _ raw: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>
  ) {
    switch header.dataType {
    case .uint8: integers(UInt8.self, raw, values)
    case .int8: integers(Int8.self, raw, values)
    case .uint16: integers(UInt16.self, raw, values)
    case .int16: integers(Int16.self, raw, values)
    case .uint32: integers(UInt32.self, raw, values)
    case .int32: integers(Int32.self, raw, values)
    case .uint64: integers(UInt64.self, raw, values)
    case .int64: integers(Int64.self, raw, values)
    case .float32: bits(UInt32.self, raw, values) { scaled(Double(Float(bitPattern: $0))) }
    case .float64: bits(UInt64.self, raw, values) { scaled(Double(bitPattern: $0)) }
    }
  }

  private func integers<I: FixedWidthInteger & BitwiseCopyable>(
    _ type: I.Type, _ raw: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>
  ) {
    if header.slope == 1, header.intercept == 0 {
      bits(type, raw, values) { Float($0) }
    } else {
      bits(type, raw, values) { scaled(Double($0)) }
    }
  }

  @inline(__always)
  private func bits<I: FixedWidthInteger & BitwiseCopyable>(
    _ type: I.Type, _ raw: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>,
    _ body: (I) -> Float
  ) {
    let width = MemoryLayout<I>.size
    for index in values.indices {
      let value = raw.loadUnaligned(fromByteOffset: index * width, as: type)
      values[index] = body(header.isBigEndian ? I(bigEndian: value) : I(littleEndian: value))
    }
  }

  private func scaled(_ value: Double) -> Float { Float(value * header.slope + header.intercept) }
}
