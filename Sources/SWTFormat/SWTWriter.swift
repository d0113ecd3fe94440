// SPDX-License-Identifier: Apache-2.0
package import FileIO
internal import Synchronization

/// Writes `.swt` files: streaming, deterministic, and never half.
package struct SWTWriter {
  /// A tensor to write: where its values come from, and how they are to be stored.
  package struct Tensor {
    package var name: String
    /// The logical shape, as in PyTorch.
    package var shape: [Int]
    package var layout: TensorLayout
    package var dataType: TensorDataType
    /// Gives the row-major values as `f32` in this machine's byte order; called on any thread.
    package var values: @Sendable () throws -> Bytes

    package init(
      name: String, shape: [Int], layout: TensorLayout, dataType: TensorDataType,
      values: @escaping @Sendable () throws -> Bytes
    ) {
      self.name = name
      self.shape = shape
      self.layout = layout
      self.dataType = dataType
      self.values = values
    }

    package init(
      name: String, shape: [Int], layout: TensorLayout, dataType: TensorDataType,
      fill: @escaping @Sendable (UnsafeMutableBufferPointer<Float>) throws -> Void
    ) {
      let count = shape.reduce(1, *)
      self.init(name: name, shape: shape, layout: layout, dataType: dataType) {
        let buffer = HeapBuffer(byteCount: count * MemoryLayout<Float>.stride)
        try fill(buffer.memory.bindMemory(to: Float.self))
        return buffer.bytes
      }
    }
  }

  /// What was written.
  package struct Summary: Sendable {
    package var modelID: String
    package var byteCount: Int
    /// How long it took to make the file durable, once it was written.
    package var commitSeconds: Double
  }

  /// Writes a model, on every thread one tensor in memory at a time.
  ///
  /// - Parameters:
  ///   - tensors: those of the network that `description` describes.
  ///   - replacing: whether an existing file may be replaced.
  ///   - inputs: files that must not be replaced.
  ///   - threads: how many threads encode, hash and write tensors.
  ///   - progress: called with the bytes written so far and in all, on any thread, one at a time.
  ///   - sealing: gives the description to be written at the end; it may differ from `description`
  ///     in hashes only, whose length does not change.
  /// - Throws: `SWTError`, or what a tensor's `values` throws.
  package static func write(
    _ description: ModelDescription, tensors: [Tensor], to path: String, replacing: Bool,
    inputs: [MappedFile.Identity] = [], threads: Int = 1,
    progress: (Int, Int) -> Void = { _, _ in }, sealing: (() -> ModelDescription)? = nil
  ) throws -> Summary {
    var entries = try layOut(tensors)
    // Offsets depend on the header's length, which depends on the offsets' digits.
    var header: [UInt8] = []
    var dataOffset = 0
    while true {
      header = Self.header(description, entries)
      let needed = Preamble.roundUp(
        Preamble.byteCount + header.count, to: Preamble.dataAlignment)
      if needed == dataOffset { break }
      for index in entries.indices { entries[index].offset += needed - dataOffset }
      dataOffset = needed
    }
    guard header.count <= Preamble.headerLimit else {
      throw SWTError(.headerLength(header.count, limit: Preamble.headerLimit))
    }
    // Names come from foreign files: what the reader would refuse must not be written.
    _ = try ModelDescription(json: try SWTFile.parseHeader(Bytes(header)))
    let total = entries.last.map { $0.offset + $0.byteCount } ?? dataOffset
    do {
      var file = try AtomicFile(path: path, replacing: replacing, inputs: inputs)
      try file.extend(to: total)
      let digests = try write(
        tensors, entries, to: file, threads: threads, total: total, progress: progress)
      for index in entries.indices { entries[index].sha256 = digests[index] }
      let laidOut = header.count
      header = Self.header(sealing?() ?? description, entries)
      precondition(header.count == laidOut, "sealing changes nothing but hashes")
      var preamble = Preamble(headerLength: header.count, fileLength: total)
      preamble.minorVersion = description.minorVersion
      preamble.requiredFeatures = description.requiredFeatures
      let preambleBytes = preamble.bytes(header: header)
      try file.overwrite(preambleBytes + header, at: 0)
      let start = ContinuousClock.now
      try file.commit()
      return Summary(
        modelID: SHA256.hex(Array(preambleBytes[64..<96])), byteCount: total,
        commitSeconds: (ContinuousClock.now - start) / .seconds(1))
    } catch let error as FileError {
      throw SWTError(.file(error))
    }
  }

  private static func header(_ description: ModelDescription, _ entries: [TensorEntry]) -> [UInt8] {
    var object = description.json.object ?? JSONObject()
    object["tensors"] = TensorTable.json(entries)
    return Array(JSONValue.object(object).canonicalText.utf8)
  }

  /// Entries with offsets counted from the start of the data, and hashes still to come.
  private static func layOut(_ tensors: [Tensor]) throws -> [TensorEntry] {
    var end = 0
    return try tensors.map { tensor in
      guard let count = tensor.layout.elementCount(shape: tensor.shape),
        case (let byteCount, let overflow) = count.multipliedReportingOverflow(
          by: tensor.dataType.byteCount), !overflow, byteCount < Int.max / 4
      else {
        throw SWTError(.tensorShape(name: tensor.name, found: tensor.shape, expected: []))
      }
      let offset = Preamble.roundUp(end, to: Preamble.tensorAlignment)
      end = offset + byteCount
      return TensorEntry(
        name: tensor.name, dataType: tensor.dataType, shape: tensor.shape,
        layout: tensor.layout, offset: offset, byteCount: byteCount,
        sha256: String(repeating: "0", count: 64))
    }
  }

  /// How far the threads are.
  private struct Progress {
    var next = 0
    var byteCount: Int
    var digests: [String]
    /// The failure of the first tensor that failed, whichever thread met it.
    var failure: (index: Int, error: any Error)?

    mutating func take() -> Int? {
      guard failure == nil, next < digests.count else { return nil }
      defer { next += 1 }
      return next
    }
  }

  /// Encodes, hashes and writes tensors at their offsets; returns their hashes.
  private static func write(
    _ tensors: [Tensor], _ entries: [TensorEntry], to file: borrowing AtomicFile, threads: Int,
    total: Int, progress: (Int, Int) -> Void
  ) throws -> [String] {
    let state = Mutex(
      Progress(
        byteCount: entries.first?.offset ?? 0,
        digests: [String](repeating: "", count: tensors.count)))
    // Of many threads with large tensors, some wait: memory has a bound that they do not change.
    let largest = tensors.map { $0.shape.reduce(4, *) }.max() ?? 0
    let workers = max(1, min(threads, tensors.count, 64_000_000 / max(largest, 1)))
    let writer = file.writer
    nonisolated(unsafe) let progress = progress
    ParallelLoop.run(workers) { _ in
      var encoder = TensorEncoder()
      while let index = state.withLock({ $0.take() }) {
        do {
          let digest = try encoder.encode(tensors[index]) { bytes in
            try writer.write(bytes, at: entries[index].offset)
            return SHA256.hex(SHA256.digest(of: bytes))
          }
          state.withLock { state in
            state.digests[index] = digest
            state.byteCount += entries[index].byteCount
            progress(state.byteCount, total)
          }
        } catch {
          state.withLock { state in
            if index < state.failure?.index ?? .max { state.failure = (index, error) }
          }
        }
      }
    }
    let (digests, failure) = state.withLock { ($0.digests, $0.failure) }
    if let failure { throw failure.error }
    return digests
  }
}

/// Makes tensors' bytes as they stand in the file, in memory that it keeps for the next.
private struct TensorEncoder {
  private var packed: [Float] = []

  /// Calls `body` with the bytes.
  mutating func encode<Result>(
    _ tensor: SWTWriter.Tensor, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    let shape = tensor.shape
    let count = shape.reduce(1, *)
    let bytes = try aligned(tensor.values())
    guard bytes.count == count * MemoryLayout<Float>.stride else {
      throw SWTError(
        .tensorShape(
          name: tensor.name, found: [bytes.count / 4], expected: shape))
    }
    return try bytes.withUnsafeBytes { raw in
      let rowMajor = raw.bindMemory(to: Float.self)
      guard tensor.layout == .packed16 else { return try finish(rowMajor, tensor, body) }
      let layout = PackedLayout(shape: shape)
      if packed.count < layout.elementCount {
        packed = [Float](repeating: 0, count: layout.elementCount)
      }
      packed.withUnsafeMutableBufferPointer {
        layout.pack(
          rowMajor, into: UnsafeMutableBufferPointer(rebasing: $0[..<layout.elementCount]))
      }
      return try packed.withUnsafeBufferPointer {
        try finish(UnsafeBufferPointer(rebasing: $0[..<layout.elementCount]), tensor, body)
      }
    }
  }

  /// Bytes on a float's boundary; a checkpoint may hold them anywhere.
  private func aligned(_ bytes: Bytes) -> Bytes {
    bytes.withUnsafeBytes { raw in
      let address = raw.baseAddress.map { Int(bitPattern: $0) } ?? 0
      return address % MemoryLayout<Float>.alignment == 0 ? bytes : Bytes(Array(raw))
    }
  }

  private func finish<Result>(
    _ values: UnsafeBufferPointer<Float>, _ tensor: SWTWriter.Tensor,
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard tensor.dataType != .f32 else { return try body(UnsafeRawBufferPointer(values)) }
    var narrow: [UInt16] = []
    narrow.reserveCapacity(values.count)
    for value in values {
      guard let bits = tensor.dataType.narrow(value) else {
        throw SWTError(
          .overflow(
            name: tensor.name, value: value, dataType: tensor.dataType))
      }
      narrow.append(bits.littleEndian)
    }
    return try narrow.withUnsafeBytes(body)
  }
}
