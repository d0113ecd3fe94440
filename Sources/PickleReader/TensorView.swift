// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// The memory behind one or several tensors; read when asked for.
package struct TensorStorage: Sendable {
  /// Its name in the file.
  package let key: String
  package let elementType: ElementType
  package let byteCount: Int
  let provider: any StorageProvider

  package init(
    key: String, elementType: ElementType, byteCount: Int, provider: any StorageProvider
  ) {
    self.key = key
    self.elementType = elementType
    self.byteCount = byteCount
    self.provider = provider
  }
}

/// Where storages' bytes come from: an archive's entries, the tail of a legacy file, …
package protocol StorageProvider: Sendable {
  /// The bytes of a storage, checked against the file's own checksum where it has one.
  func bytes(ofStorage key: String, byteCount: Int) throws(PickleError) -> Bytes
}

/// A storage's bytes that are at hand already.
package struct StoredBytes: StorageProvider {
  let bytes: Bytes

  package init(_ bytes: Bytes) { self.bytes = bytes }

  package func bytes(ofStorage key: String, byteCount: Int) throws(PickleError) -> Bytes {
    guard bytes.count == byteCount else {
      throw .storage(key: key, problem: "has \(bytes.count) bytes instead of \(byteCount)")
    }
    return bytes
  }
}

/// A part of another storage.
struct StorageWindow: StorageProvider {
  let storage: TensorStorage
  /// In bytes.
  let offset: Int

  func bytes(ofStorage key: String, byteCount: Int) throws(PickleError) -> Bytes {
    let whole = try storage.provider.bytes(ofStorage: storage.key, byteCount: storage.byteCount)
    guard let part = whole.slice(at: offset, count: byteCount) else {
      throw .storage(key: storage.key, problem: "has a view that leaves it")
    }
    return part
  }
}

/// A tensor as a checkpoint describes it: a strided window on a storage. Nothing is read until its
/// elements are copied.
package struct TensorView: Sendable {
  /// What tells whether two tensors are the same numbers in the same place.
  package struct Identity: Hashable, Sendable {
    let key: String
    let offset: Int
    let shape: [Int]
    let strides: [Int]
  }

  package let shape: [Int]
  /// In elements, as PyTorch has them.
  package let strides: [Int]
  package let storageOffset: Int
  package let storage: TensorStorage
  package let elementCount: Int

  package var elementType: ElementType { storage.elementType }
  package var identity: Identity {
    Identity(key: storage.key, offset: storageOffset, shape: shape, strides: strides)
  }

  /// Checks that the window stays inside the storage.
  package init(
    shape: [Int], strides: [Int], storageOffset: Int, storage: TensorStorage
  ) throws(PickleError) {
    guard shape.count == strides.count, shape.count <= PickleLimits.rank else {
      throw .tensor(problem: "\(shape.count) sizes and \(strides.count) strides")
    }
    guard storageOffset >= 0, (shape + strides).allSatisfy({ $0 >= 0 }) else {
      throw .tensor(problem: "a negative size, stride or offset")
    }
    let capacity = storage.byteCount / storage.elementType.byteCount
    var count = 1
    var last = storageOffset
    for (size, stride) in zip(shape, strides) {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      let (reach, reachOverflow) = max(size - 1, 0).multipliedReportingOverflow(by: stride)
      let (sum, sumOverflow) = last.addingReportingOverflow(reach)
      guard !overflow, !reachOverflow, !sumOverflow else {
        throw .tensor(problem: "shape \(shape) with strides \(strides) overflows")
      }
      (count, last) = (product, sum)
    }
    guard !count.multipliedReportingOverflow(by: storage.elementType.byteCount).overflow else {
      throw .tensor(problem: "shape \(shape) with strides \(strides) overflows")
    }
    guard count == 0 || last < capacity else {
      throw .tensor(
        problem: "shape \(shape) with strides \(strides) at offset \(storageOffset) leaves its "
          + "storage of \(capacity) elements")
    }
    self.shape = shape
    self.strides = strides
    self.storageOffset = storageOffset
    self.storage = storage
    elementCount = count
  }

  /// A row-major tensor over all of `bytes`.
  package init(
    shape: [Int], elementType: ElementType, key: String, bytes: Bytes
  ) throws(PickleError) {
    try self.init(
      shape: shape, strides: Self.rowMajorStrides(shape), storageOffset: 0,
      storage: TensorStorage(
        key: key, elementType: elementType, byteCount: bytes.count, provider: StoredBytes(bytes)))
  }

  private static func rowMajorStrides(_ shape: [Int]) -> [Int] {
    var step = 1
    var strides: [Int] = []
    for size in shape.reversed() {
      strides.append(step)
      step = step.multipliedReportingOverflow(by: max(size, 1)).partialValue
    }
    return strides.reversed()
  }

  /// Whether the elements lie in row-major order without gaps.
  package var isContiguous: Bool {
    elementCount <= 1
      || zip(shape, zip(strides, Self.rowMajorStrides(shape))).allSatisfy { size, strides in
        size == 1 || strides.0 == strides.1
      }
  }

  /// The elements' bytes in row-major order: a part of the file where that is possible, else a copy.
  ///
  /// An expanded tensor may have far more elements than its storage: callers check `shape` first.
  package func rowMajorBytes() throws(PickleError) -> Bytes {
    let width = elementType.byteCount
    let stored = try storage.provider.bytes(ofStorage: storage.key, byteCount: storage.byteCount)
    guard elementCount > 0 else { return Bytes([]) }
    if isContiguous, let part = stored.slice(at: storageOffset * width, count: elementCount * width)
    {
      return part
    }
    let gathered = HeapBuffer(byteCount: elementCount * width)
    stored.withUnsafeBytes { source in
      var index = [Int](repeating: 0, count: shape.count)
      var position = storageOffset
      for element in 0..<elementCount {
        gathered.memory.baseAddress.map { target in
          source.baseAddress.map {
            target.advanced(by: element * width).copyMemory(
              from: $0 + position * width, byteCount: width)
          }
        }
        for axis in shape.indices.reversed() {
          index[axis] += 1
          position += strides[axis]
          if index[axis] < shape[axis] { break }
          position -= strides[axis] * shape[axis]
          index[axis] = 0
        }
      }
    }
    return gathered.bytes
  }

  /// Copies the elements in row-major order as `f32`: f16 and bf16 are widened exactly, f64 is
  /// rounded and refused where a finite value would become infinite.
  package func copyElements(into target: UnsafeMutableBufferPointer<Float>) throws(PickleError) {
    guard target.count == elementCount else {
      throw .tensor(problem: "\(elementCount) elements where \(target.count) are wanted")
    }
    guard elementType.isFloatingPoint else {
      throw .tensor(problem: "its type is \(elementType.rawValue), not a floating-point type")
    }
    let overflow = try rowMajorBytes().withUnsafeBytes { elementType.widen($0, into: target) }
    if let overflow { throw .overflow(value: overflow) }
  }

  /// The bytes of the elements in row-major order as `f32`: a part of the file where they are so.
  package func floatBytes() throws(PickleError) -> Bytes {
    if elementType == .float32 { return try rowMajorBytes() }
    let buffer = HeapBuffer(byteCount: elementCount * MemoryLayout<Float>.stride)
    try copyElements(into: buffer.memory.bindMemory(to: Float.self))
    return buffer.bytes
  }

  /// The elements in row-major order as `f32`.
  package func values() throws(PickleError) -> [Float] {
    var failure: PickleError?
    let values = [Float](unsafeUninitializedCapacity: elementCount) { buffer, count in
      do throws(PickleError) {
        try copyElements(into: UnsafeMutableBufferPointer(rebasing: buffer[..<elementCount]))
        count = elementCount
      } catch { failure = error }
    }
    if let failure { throw failure }
    return values
  }
}

extension ElementType {
  /// Widens or rounds to `f32`; returns the first finite value that does not fit.
  fileprivate func widen(
    _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Float>
  ) -> Double? {
    switch self {
    case .float32:
      UnsafeMutableRawBufferPointer(target).copyMemory(from: bytes)
    case .bfloat16:
      for index in target.indices {
        let bits = bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
        target[index] = Float(bitPattern: UInt32(UInt16(littleEndian: bits)) << 16)
      }
    case .float16:
      for index in target.indices {
        let bits = bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
        target[index] = Self.widenHalf(UInt16(littleEndian: bits))
      }
    case .float64:
      for index in target.indices {
        let bits = bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
        let value = Double(bitPattern: UInt64(littleEndian: bits))
        target[index] = Float(value)
        if value.isFinite, !target[index].isFinite { return value }
      }
    default: break
    }
    return nil
  }

  /// IEEE 754 binary16 to binary32.
  static func widenHalf(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10 & 0x1F)
    let fraction = UInt32(bits & 0x3FF)
    switch exponent {
    case 0: return Float(bitPattern: (Float(fraction) * 0x1p-24).bitPattern | sign)
    case 0x1F: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}
