// SPDX-License-Identifier: Apache-2.0
/// The number types of PyTorch's storages.
package enum ElementType: String, Sendable, CaseIterable {
  case float32
  case float64
  case float16
  case bfloat16
  case int64
  case int32
  case int16
  case int8
  case uint8
  case bool
  case complex64
  case complex128

  package var byteCount: Int {
    switch self {
    case .complex128: 16
    case .float64, .int64, .complex64: 8
    case .float32, .int32: 4
    case .float16, .bfloat16, .int16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// Whether network weights may have this type.
  package var isFloatingPoint: Bool {
    switch self {
    case .float32, .float64, .float16, .bfloat16: true
    default: false
    }
  }

  /// The type of a typed storage class such as `FloatStorage`.
  init?(storageClass: String) {
    let names: [String: ElementType] = [
      "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16,
      "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32,
      "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
      "ComplexFloatStorage": .complex64, "ComplexDoubleStorage": .complex128,
    ]
    guard let type = names[storageClass] else { return nil }
    self = type
  }
}
