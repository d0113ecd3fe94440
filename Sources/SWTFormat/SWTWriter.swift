package import FileIO

/// Writes `.swt` files: streaming, deterministic, and never half.
package struct SWTWriter {
  /// A tensor to write: where its values come from, and how they are to be stored.
  package struct Tensor {
    package var parameter: ParameterSpecification
    package var dataType: TensorDataType
    /// Fills a buffer with the row-major values.
    package var fill: (UnsafeMutableBufferPointer<Float>) throws -> Void

    package init(
      _ parameter: ParameterSpecification, dataType: TensorDataType,
      fill: @escaping (UnsafeMutableBufferPointer<Float>) throws -> Void
    ) {
      self.parameter = parameter
      self.dataType = dataType
      self.fill = fill
    }
  }

  /// What was written.
  package struct Summary: Sendable {
    package var modelID: String
    package var byteCount: Int
  }

  /// Writes a model, one tensor in memory at a time.
  ///
  /// - Parameters:
  ///   - tensors: in the order of `description.parameters`.
  ///   - replacing: whether an existing file may be replaced.
  ///   - inputs: files that must not be replaced.
  ///   - progress: called with the bytes written so far and in all.
  /// - Throws: `SWTError`, or what a tensor's `fill` throws.
  package static func write(
    _ description: ModelDescription, tensors: [Tensor], to path: String, replacing: Bool,
    inputs: [MappedFile.Identity] = [], progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> Summary {
    var entries = try layOut(tensors)
    try TensorTable.check(entries, against: description)
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
      throw SWTError.headerLength(header.count, limit: Preamble.headerLimit)
    }
    // Names come from foreign files: what the reader would refuse must not be written.
    _ = try ModelDescription(json: try SWTFile.parseHeader(Bytes(header)))
    let total = entries.last.map { $0.offset + $0.byteCount } ?? dataOffset
    do {
      var file = try AtomicFile(path: path, replacing: replacing, inputs: inputs)
      for index in entries.indices {
        let stored = try encode(tensors[index], name: entries[index].name)
        try file.pad(to: entries[index].offset)
        let digest = try stored.withUnsafeBytes { bytes in
          try file.write(bytes)
          return SHA256.digest(of: bytes)
        }
        entries[index].sha256 = SHA256.hex(digest)
        progress(file.count, total)
      }
      header = Self.header(description, entries)
      let preamble = Preamble(headerLength: header.count, fileLength: total)
      let preambleBytes = preamble.bytes(header: header)
      try file.overwrite(preambleBytes + header, at: 0)
      try file.commit()
      return Summary(
        modelID: SHA256.hex(Array(preambleBytes[64..<96])), byteCount: total)
    } catch let error as FileError {
      throw SWTError(error)
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
      let parameter = tensor.parameter
      guard let count = parameter.layout.elementCount(shape: parameter.shape),
        case (let byteCount, let overflow) = count.multipliedReportingOverflow(
          by: tensor.dataType.byteCount), !overflow, byteCount < Int.max / 4
      else {
        throw SWTError.tensorShape(name: parameter.name, found: parameter.shape, expected: [])
      }
      let offset = Preamble.roundUp(end, to: Preamble.tensorAlignment)
      end = offset + byteCount
      return TensorEntry(
        name: parameter.name, dataType: tensor.dataType, shape: parameter.shape,
        layout: parameter.layout, offset: offset, byteCount: byteCount,
        sha256: String(repeating: "0", count: 64))
    }
  }

  /// A tensor's bytes as they stand in the file.
  private static func encode(_ tensor: Tensor, name: String) throws -> [UInt8] {
    let count = tensor.parameter.shape.reduce(1, *)
    var values = try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      buffer.initialize(repeating: 0)
      initialized = count
      try tensor.fill(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
    }
    if tensor.parameter.layout == .packed16 {
      values = values.withUnsafeBufferPointer {
        PackedLayout(shape: tensor.parameter.shape).pack($0)
      }
    }
    if tensor.dataType == .f32 {
      return values.withUnsafeBytes { Array($0) }
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(2 * values.count)
    for value in values {
      guard let bits = tensor.dataType.narrow(value) else {
        throw SWTError.overflow(name: name, value: value, dataType: tensor.dataType)
      }
      bytes.append(UInt8(truncatingIfNeeded: bits))
      bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
    }
    return bytes
  }
}
