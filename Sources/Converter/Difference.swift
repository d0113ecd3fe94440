// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import Network
internal import PickleReader
package import SWTFormat

/// What differs between two files of any kind: fields of the description, and tensors.
package struct Difference: Sendable {
  /// A field of the description with its two values as JSON.
  package struct Field: Sendable {
    /// Its path, such as `architecture.stages[0].features`.
    package var path: String
    /// Its value in the first file; `null` where it has none.
    package var first: JSONValue
    /// Its value in the second file; `null` where it has none.
    package var second: JSONValue
  }

  /// A tensor with what is different about it.
  package struct Tensor: Sendable {
    /// Its canonical name.
    package var name: String
    /// "only in the first", "only in the second", "shape …", or by how much values differ.
    package var what: String
  }

  /// Fields that differ.
  package private(set) var fields: [Field] = []
  /// Tensors that differ.
  package private(set) var tensors: [Tensor] = []
  /// Tensors that both files have.
  package private(set) var commonTensors = 0

  /// Whether nothing differs.
  package var isEmpty: Bool { fields.isEmpty && tensors.isEmpty }

  /// Compares two files.
  package init(
    _ firstPath: String, _ secondPath: String, options: ConversionOptions
  ) throws(ConversionError) {
    do {
      let first = try Side(firstPath, options)
      let second = try Side(secondPath, options)
      compare(first.description, second.description, path: "")
      // How a classifier was trained is another matter.
      compare(
        first.description["provenance"]?["training"] ?? .null,
        second.description["provenance"]?["training"] ?? .null, path: "provenance.training")
      try compareTensors(first, second)
    } catch { throw ConversionError(error, file: secondPath) }
  }

  /// One of the two files.
  private struct Side {
    let description: JSONValue
    let names: [String]
    let shape: (String) -> [Int]?
    let values: (String) throws -> [Float]

    init(_ path: String, _ options: ConversionOptions) throws {
      let inspection = try Inspection(path: path, options: options)
      description = inspection.description?.json ?? .null
      names = inspection.tensors.map(\.name).filter { !$0.hasSuffix(".num_batches_tracked") }
      if inspection.modelID != nil {
        let file = try SWTFile(modelAt: path)
        shape = { file.entry(named: $0)?.shape }
        values = { name in file.entry(named: name).map { file.values(of: $0) } ?? [] }
      } else {
        let weights = FoldedWeights(try Checkpoint.openFolds(path: path, options: options))
        shape = { weights[$0]?.shape }
        values = { try weights[$0]?.values() ?? [] }
      }
    }
  }

  /// Where the files come from differs for every two files, and is no difference between models.
  private mutating func compare(_ first: JSONValue, _ second: JSONValue, path: String) {
    guard first != second, path != "provenance", path != "part", path != "folds" else { return }
    if let a = first.object, let b = second.object {
      for key in a.members.map(\.key) + b.members.map(\.key).filter({ a[$0] == nil }) {
        compare(
          a[key] ?? .null, b[key] ?? .null, path: path.isEmpty ? key : "\(path).\(key)")
      }
    } else if let a = first.array, let b = second.array, a.count == b.count {
      for (index, pair) in zip(a, b).enumerated() {
        compare(pair.0, pair.1, path: "\(path)[\(index)]")
      }
    } else {
      fields.append(Field(path: path, first: first, second: second))
    }
  }

  private mutating func compareTensors(_ first: Side, _ second: Side) throws {
    let others = Set(second.names)
    let own = Set(first.names)
    for name in first.names {
      guard others.contains(name) else {
        tensors.append(Tensor(name: name, what: "only in the first"))
        continue
      }
      commonTensors += 1
      let shapes = (first.shape(name) ?? [], second.shape(name) ?? [])
      guard shapes.0 == shapes.1 else {
        tensors.append(Tensor(name: name, what: "shape \(shapes.0) and \(shapes.1)"))
        continue
      }
      var largest: Float = 0
      var count = 0
      for (a, b) in zip(try first.values(name), try second.values(name))
      where a.bitPattern != b.bitPattern {
        count += 1
        largest = max(largest, abs(a - b))
      }
      if count > 0 {
        tensors.append(Tensor(name: name, what: "\(count) values differ, by up to \(largest)"))
      }
    }
    for name in second.names where !own.contains(name) {
      tensors.append(Tensor(name: name, what: "only in the second"))
    }
  }
}
