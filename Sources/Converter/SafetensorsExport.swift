// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import Network
internal import SWTFormat

/// Writes a model's tensors as a safetensors file, so that nobody is locked in: canonical names,
/// row-major `F32`, loadable with `safetensors.torch.load_file`.
///
/// Source: the format section of huggingface/safetensors' README.
package struct SafetensorsExport: Sendable {
  private let file: SWTFile

  /// Opens the model at `path`.
  ///
  /// - Throws: `ConversionError` where it cannot be opened, is damaged or not supported.
  package init(path: String) throws(ConversionError) {
    do { file = try SWTFile(modelAt: path) } catch { throw ConversionError(error, file: path) }
  }

  /// Writes the file, atomically, and returns its length in bytes.
  ///
  /// - Throws: `ConversionError`, also where `path` exists and is not to be replaced.
  package func write(to path: String, replacing: Bool = false) throws(ConversionError) -> Int {
    var header = JSONObject()
    var metadata = JSONObject([
      ("format", "pt"), ("model_id", .string(file.modelID)),
      ("nnconvert_version", .string(NNConvertVersion.current)),
    ])
    // All values are texts there.
    metadata["training"] = file.description.provenance.training.map { .string($0.json.lineText) }
    header["__metadata__"] = .object(metadata)
    var offset = 0
    for entry in file.tensors {
      let byteCount = 4 * entry.shape.reduce(1, *)
      header[entry.name] = [
        "dtype": "F32", "shape": .array(entry.shape.map { .integer($0) }),
        "data_offsets": [.integer(offset), .integer(offset + byteCount)],
      ]
      offset += byteCount
    }
    var text = Array(JSONValue.object(header).lineText.utf8)
    // Spaces are allowed behind the header; they put the numbers on a 64-byte boundary.
    text += [UInt8](repeating: 0x20, count: (64 - (8 + text.count) % 64) % 64)
    let length = UInt64(text.count)
    do {
      var output = try AtomicFile(path: path, replacing: replacing, inputs: [file.identity])
      try output.write((0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + text)
      for entry in file.tensors {
        let bytes = file.values(of: entry).withUnsafeBytes { Bytes(Array($0)) }
        try bytes.withUnsafeBytes { (buffer) throws(FileError) in try output.write(buffer) }
      }
      let count = output.count
      try output.commit()
      return count
    } catch { throw ConversionError(error) }
  }
}
