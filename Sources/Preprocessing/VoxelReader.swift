// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// Turns a file's numbers into float32 voxels, a piece at a time.
struct VoxelReader {
  let dataType: NIfTIHeader.DataType
  let isBigEndian: Bool
  let slope: Double
  let intercept: Double
  /// SimpleITK's way: integers become float32 before they are scaled, and what is not finite becomes 0.
  let isITK: Bool

  /// Reads one volume.
  ///
  /// - Returns: the voxels and how many of them were not finite and became 0.
  func read(
    _ count: Int, from stream: ScanStream
  ) throws(PreprocessingError) -> (values: [Float], zeroed: Int) {
    let width = dataType.byteCount
    let piece = min(count, 1 << 17)
    let buffer = HeapBuffer(byteCount: piece * width)
    var failure: PreprocessingError?
    var zeroed = 0
    let values = [Float](unsafeUninitializedCapacity: count) { values, done in
      do throws(PreprocessingError) {
        while done < count {
          let wanted = min(count - done, piece)
          let part = UnsafeMutableRawBufferPointer(rebasing: buffer.memory[..<(wanted * width)])
          let read = try stream.read(into: part)
          guard read == part.count else {
            throw PreprocessingError(
              .format(
                path: stream.path,
                problem:
                  "ends after \(done + read / width) of \(count) voxels of a volume — it is cut off"
              ))
          }
          zeroed += convert(
            UnsafeRawBufferPointer(part),
            into: UnsafeMutableBufferPointer(rebasing: values[done..<done + wanted]))
          done += wanted
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
    return (values, zeroed)
  }

  /// Returns how many numbers became 0.
  private func convert(
    _ raw: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>
  ) -> Int {
    switch dataType {
    case .uint8: integers(UInt8.self, raw, values)
    case .int8: integers(Int8.self, raw, values)
    case .uint16: integers(UInt16.self, raw, values)
    case .int16: integers(Int16.self, raw, values)
    case .uint32: integers(UInt32.self, raw, values)
    case .int32: integers(Int32.self, raw, values)
    case .uint64: integers(UInt64.self, raw, values)
    case .int64: integers(Int64.self, raw, values)
    case .float32: return numbers(UInt32.self, raw, values) { Double(Float(bitPattern: $0)) }
    case .float64: return numbers(UInt64.self, raw, values) { Double(bitPattern: $0) }
    }
    return 0
  }

  private func integers<I: FixedWidthInteger & BitwiseCopyable>(
    _ type: I.Type, _ raw: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>
  ) {
    if slope == 1, intercept == 0 {
      bits(type, raw, values) { Float($0) }
    } else if isITK {
      bits(type, raw, values) { scaled(Double(Float($0))) }
    } else {
      bits(type, raw, values) { scaled(Double($0)) }
    }
  }

  private func numbers<I: FixedWidthInteger & BitwiseCopyable>(
    _ type: I.Type, _ raw: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>,
    _ value: (I) -> Double
  ) -> Int {
    guard isITK else {
      bits(type, raw, values) { scaled(value($0)) }
      return 0
    }
    var zeroed = 0
    bits(type, raw, values) { bits in
      let number = value(bits)
      if number.isFinite { return scaled(number) }
      zeroed += 1
      return scaled(0)
    }
    return zeroed
  }

  @inline(__always)
  private func bits<I: FixedWidthInteger & BitwiseCopyable>(
    _ type: I.Type, _ raw: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>,
    _ body: (I) -> Float
  ) {
    let width = MemoryLayout<I>.size
    for index in values.indices {
      let value = raw.loadUnaligned(fromByteOffset: index * width, as: type)
      values[index] = body(isBigEndian ? I(bigEndian: value) : I(littleEndian: value))
    }
  }

  private func scaled(_ value: Double) -> Float { Float(value * slope + intercept) }
}
