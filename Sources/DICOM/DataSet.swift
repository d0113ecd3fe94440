// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// The elements of a data set or of an item that are of use here.
struct DataSet: Sendable {
  enum Value: Sendable {
    case bytes([UInt8])
    case items([DataSet])
    case present
  }

  private(set) var elements: [(tag: DICOMTag, value: Value)] = []
  /// Numbers of two and four bytes are stored so.
  var isBigEndian = false

  mutating func append(_ value: Value, at tag: DICOMTag) { elements.append((tag, value)) }

  func has(_ tag: DICOMTag) -> Bool { elements.contains { $0.tag == tag } }

  /// The items of a sequence, or `nil` where there is none.
  func items(_ tag: DICOMTag) -> [DataSet]? {
    guard case .items(let items)? = value(tag) else { return nil }
    return items
  }

  /// The value's text without the blanks and NULs around it; `nil` where it is absent or empty.
  func text(_ tag: DICOMTag) -> String? {
    let text = ValueText.trimmed(bytes(tag)[...])
    // Every value that is used is ASCII: a byte beyond stands for itself.
    return text.isEmpty ? nil : String(String.UnicodeScalarView(text.map { Unicode.Scalar($0) }))
  }

  /// The values of a code string.
  func codes(_ tag: DICOMTag) -> [String] {
    ValueText.parts(of: bytes(tag)).map {
      String(String.UnicodeScalarView($0.map { Unicode.Scalar($0) }))
    }
  }

  /// A UID, or `nil` where it is absent; other text is refused, so that a UID can be shown.
  func uid(_ tag: DICOMTag) throws(DICOMError) -> String? {
    guard let text = text(tag) else { return nil }
    guard ValueText.isUID(text) else { throw DICOMError(.value, "\(tag) is no valid UID") }
    return text
  }

  /// Decimal numbers, or `nil` where the value is absent or empty.
  func decimals(_ tag: DICOMTag, count: Int? = nil) throws(DICOMError) -> [Double]? {
    let bytes = bytes(tag)
    guard !ValueText.trimmed(bytes[...]).isEmpty else { return nil }
    var numbers: [Double] = []
    for part in ValueText.parts(of: bytes) {
      guard let number = ValueText.decimal(part) else {
        throw DICOMError(.value, "\(tag) is no decimal number")
      }
      numbers.append(number)
    }
    if let count, numbers.count != count {
      throw DICOMError(.value, "\(tag) has \(numbers.count) values, not \(count)")
    }
    return numbers
  }

  /// One decimal number, or `nil` where the value is absent or empty.
  func decimal(_ tag: DICOMTag) throws(DICOMError) -> Double? {
    try decimals(tag, count: 1)?.first
  }

  /// An integer string, or `nil` where the value is absent or empty.
  func integer(_ tag: DICOMTag) throws(DICOMError) -> Int? {
    let text = ValueText.trimmed(bytes(tag)[...])
    guard !text.isEmpty else { return nil }
    guard let number = ValueText.integer(text) else {
      throw DICOMError(.value, "\(tag) is no whole number")
    }
    return number
  }

  /// A binary number of the type's width, or `nil` where the value has another.
  func binary<Number: FixedWidthInteger & BitwiseCopyable>(
    _ tag: DICOMTag, as type: Number.Type = Number.self
  ) -> Number? {
    let bytes = bytes(tag)
    guard bytes.count == MemoryLayout<Number>.size else { return nil }
    let number = bytes.withUnsafeBytes { $0.loadUnaligned(as: type) }
    return isBigEndian ? Number(bigEndian: number) : Number(littleEndian: number)
  }

  private func bytes(_ tag: DICOMTag) -> [UInt8] {
    guard case .bytes(let bytes)? = value(tag) else { return [] }
    return bytes
  }

  private func value(_ tag: DICOMTag) -> Value? { elements.first { $0.tag == tag }?.value }
}
