// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import PickleReader
internal import SWTFormat

/// A safetensors file: tensors by name, checked as the format's own reader does.
///
/// Source: the format section of huggingface/safetensors' README.
struct SafetensorsFile {
  private static let headerLimit = 16_000_000
  private static let tensorLimit = 30_000

  let tensors: [(key: String, tensor: TensorView)]
  let metadata: [String: String]

  init(_ bytes: Bytes) throws {
    guard let declared = bytes.littleEndian(UInt64.self, at: 0),
      let length = Int(exactly: declared), length <= Self.headerLimit,
      let header = bytes.slice(at: 8, count: length),
      let data = bytes.slice(at: 8 + length, count: bytes.count - 8 - length)
    else { throw Self.damaged("its header leaves the file") }
    let json: JSONValue
    do {
      json = try JSONParser.parse(
        header, limits: JSONParser.Limits(byteCount: Self.headerLimit, depth: 8))
    } catch { throw Self.damaged("\(error)") }
    let members = json.object?.members ?? []
    guard members.count <= Self.tensorLimit else { throw Self.damaged("it has too many tensors") }
    var metadata: [String: String] = [:]
    for member in json["__metadata__"]?.object?.members ?? [] {
      metadata[member.key] = member.value.string
    }
    self.metadata = metadata
    var spans: [(start: Int, end: Int)] = []
    var tensors: [(key: String, tensor: TensorView)] = []
    for (name, value) in members where name != "__metadata__" {
      let field = JSONField(path: name, value: value)
      let offsets = try field["data_offsets"].integers(0...data.count, count: 2...2)
      let shape = try field["shape"].integers(0...Int(Int32.max), count: 0...8)
      let typeName = try field["dtype"].name(limit: 16)
      guard let type = Self.elementTypes[typeName] else {
        throw ConversionError(
          .tensor(
            key: name, problem: "has type \(typeName), which we do not read"))
      }
      guard offsets[0] <= offsets[1],
        let part = data.slice(at: offsets[0], count: offsets[1] - offsets[0])
      else { throw Self.damaged("tensor \(name) ends before it starts") }
      let tensor: TensorView
      do {
        tensor = try TensorView(
          shape: shape, elementType: type, key: String(offsets[0]), bytes: part)
      } catch { throw ConversionError(error, file: name) }
      guard tensor.elementCount * type.byteCount == part.count else {
        throw Self.damaged("tensor \(name) has \(part.count) bytes for shape \(shape)")
      }
      spans.append((offsets[0], offsets[1]))
      tensors.append((name, tensor))
    }
    var end = 0
    for span in spans.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) {
      guard span.start == end else { throw Self.damaged("its tensors overlap or leave gaps") }
      end = span.end
    }
    guard end == data.count else { throw Self.damaged("bytes follow its last tensor") }
    self.tensors = tensors
  }

  private static let elementTypes: [String: ElementType] = [
    "F64": .float64, "F32": .float32, "F16": .float16, "BF16": .bfloat16, "I64": .int64,
    "I32": .int32, "I16": .int16, "I8": .int8, "U8": .uint8, "BOOL": .bool,
  ]

  private static func damaged(_ problem: String) -> ConversionError {
    ConversionError(.unreadable(file: "safetensors", problem: "\(problem) — the file is damaged"))
  }
}
