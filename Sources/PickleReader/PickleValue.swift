// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// A value of a pickle: a place in its document.
package struct PickleValue: Sendable {
  /// What a value is.
  package enum Kind: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case bigInteger
    case double(Double)
    case string(String)
    case bytes(Bytes)
    case list
    case tuple
    case set
    case dictionary
    case tensor(TensorView)
    case array(NumpyArray)
    case device(String)
    case path(String)
    /// A tensor that is stored in a way we do not read, such as quantised ones.
    case unreadableTensor(String)
    /// A Python name, number type, storage or object whose content we do not look into.
    case opaque(String)
  }

  let document: PickleDocument
  let index: PickleDocument.Index

  /// Which value it is: shared values have one number.
  package var number: Int { Int(index) }

  /// What the value is.
  package var kind: Kind {
    switch document.nodes[Int(index)] {
    case .none: .none
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .bigInteger: .bigInteger
    case .double(let value): .double(value)
    case .string(let value): .string(value)
    case .bytes(let value): .bytes(value)
    case .list: .list
    case .tuple: .tuple
    case .set: .set
    case .dictionary: .dictionary
    case .tensor(let position): .tensor(document.tensors[position])
    case .array(let position): .array(document.arrays[position])
    case .device(let value): .device(value)
    case .path(let value): .path(value)
    case .symbol(let symbol): .opaque("\(symbol)")
    case .storage: .opaque("storage")
    case .numpyType(let type): .opaque("numpy type \(type.code)")
    case .unreadableTensor(let what): .unreadableTensor(what)
    case .opaque(let what): .opaque(what)
    }
  }

  /// The elements of a list, tuple or set; empty for anything else.
  package var elements: [PickleValue] {
    switch document.nodes[Int(index)] {
    case .list(let position), .tuple(let position), .set(let position):
      document.containers[position].map { PickleValue(document: document, index: $0) }
    default: []
    }
  }

  /// Keys and values of a dictionary in order, a repeated key as often as it was set.
  package var entries: [(key: PickleValue, value: PickleValue)] {
    guard case .dictionary(let position) = document.nodes[Int(index)] else { return [] }
    let flat = document.containers[position]
    return stride(from: 0, to: flat.count - 1, by: 2).map {
      (
        PickleValue(document: document, index: flat[$0]),
        PickleValue(document: document, index: flat[$0 + 1])
      )
    }
  }

  /// The value of a string key; of several the last, as in Python.
  package subscript(key: String) -> PickleValue? {
    guard case .dictionary(let position) = document.nodes[Int(index)] else { return nil }
    let flat = document.containers[position]
    for keyPosition in stride(from: flat.count - 2, through: 0, by: -2) {
      if case .string(let found) = document.nodes[Int(flat[keyPosition])],
        found.utf8.elementsEqual(key.utf8)
      {
        return PickleValue(document: document, index: flat[keyPosition + 1])
      }
    }
    return nil
  }

  package var string: String? { if case .string(let value) = kind { value } else { nil } }
  package var integer: Int? { if case .integer(let value) = kind { value } else { nil } }
  package var bool: Bool? { if case .bool(let value) = kind { value } else { nil } }
  package var tensor: TensorView? { if case .tensor(let value) = kind { value } else { nil } }
  package var isNone: Bool { if case .none = kind { true } else { false } }
  package var isSequence: Bool {
    switch kind {
    case .list, .tuple: true
    default: false
    }
  }
  package var isDictionary: Bool { if case .dictionary = kind { true } else { false } }
}
